"""The public language: every event, one file per speaker, and `EVENTS` by name on the wire."""

from shared.events.activation import CustomerActivated, CustomerContactChanged, CustomerLoggedIn
from shared.events.billing import (
    CollectionBooked,
    CollectionCancelled,
    CollectionRequested,
    CustomerReleased,
    CustomerReleaseWithdrawn,
    MandateDetails,
    OrderConfirmationSent,
    OrderConfirmationSigned,
    OrderSignatureWithdrawn,
)
from shared.events.event import EVENTS, Event
from shared.events.king import KING_HEARS, KING_QUEUE, CollectionResult
from shared.events.registration import (
    AdministrationCreated,
    AdministrationFailed,
    RegistrationCompleted,
    RegistrationDeclined,
)
from shared.events.signup import OnboardingWithdrawn, SignupAccepted, SignupRejected
from shared.events.website import SignupSubmitted

OUTSIDE = ("website", "king-billing")
"""Speakers that are no services of ours: other systems write their events."""

__all__ = [
    "EVENTS",
    "KING_HEARS",
    "KING_QUEUE",
    "OUTSIDE",
    "AdministrationCreated",
    "AdministrationFailed",
    "CollectionBooked",
    "CollectionCancelled",
    "CollectionRequested",
    "CollectionResult",
    "CustomerActivated",
    "CustomerContactChanged",
    "CustomerLoggedIn",
    "CustomerReleaseWithdrawn",
    "CustomerReleased",
    "Event",
    "MandateDetails",
    "OnboardingWithdrawn",
    "OrderConfirmationSent",
    "OrderConfirmationSigned",
    "OrderSignatureWithdrawn",
    "RegistrationCompleted",
    "RegistrationDeclined",
    "SignupAccepted",
    "SignupRejected",
    "SignupSubmitted",
]
