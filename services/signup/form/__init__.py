"""The sign-up form: read field by field, whatever a website put there.

`validation` says which fields there are and how they hang together, `rules` gives each its normal
form, `texts` tells a person what to correct.
"""
