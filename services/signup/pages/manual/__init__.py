"""What webmasters and KING's billing read: snippets to copy, and what every field means.

`snippets` fills them in for one office and the public address, `fields` says what stands where.
"""
