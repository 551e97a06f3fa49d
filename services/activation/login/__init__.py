"""How a customer gets in: login names, passwords, credentials on their way, and the log-in.

A password exists in clear only while it is sent, and while it is compared.
"""
