"""INSCHRIJVEN: a customer signs up on their office's website.

Owns: offices and sign-ups.
Hears: signup.submitted, registration.completed, registration.declined, customer.activated,
customer.logged_in, customer.contact_changed.
Says: signup.accepted, signup.rejected, onboarding.withdrawn.
"""
