"""Stand-ins for the outside: an office's website, and KING's billing.

They speak only the public contract, so that the real ones can take their place.
"""
