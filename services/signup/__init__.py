"""INSCHRIJVEN: a customer signs up on their office's website.

Owns: offices and sign-ups.
Hears: signup.submitted, registration.declined, customer.activated, customer.logged_in.
Says: signup.accepted, signup.rejected, onboarding.withdrawn.
"""
