"""AANMELDEN and INRICHTEN: the customer is registered, and their administration is copied.

Owns: registrations, base administrations and the administrations copied from them.
Hears: signup.accepted, onboarding.withdrawn.
Says: registration.completed, registration.declined, administration.created, administration.failed.
"""
