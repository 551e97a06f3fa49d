"""ACTIVEREN and INLOGGEN: credentials are sent, the customer logs in. And the checklist.

Owns: activations with their credentials, and what is known of every onboarding.
Hears: every event of the seven steps.
Says: customer.activated, customer.logged_in, customer.contact_changed.
"""
