"""A form of the trade, read field by field, whatever somebody put there.

`fields` says which fields a customer, a package and a payer have and how they hang together,
`rules` gives each its normal form, `texts` tells a person what to correct. Sign-ups are read by
it, and so are corrections of them.
"""
