"""The sign-up form: read by the rules of the trade, field by field, whatever a website put there.

`validation` says how the fields hang together, `warnings` what the office should look at.
"""
