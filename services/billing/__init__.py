"""The order, BEVESTIGEN and VRIJGEVEN: confirmation, mandate, collection, release.

Owns: orders, mandates, collections and what KING reported of them.
Hears: registration.completed, collection.result, onboarding.withdrawn.
Says: order.confirmation_sent, order.confirmation_signed, order.signature_withdrawn,
collection.requested, collection.cancelled, collection.booked, customer.released,
customer.release_withdrawn.
"""
