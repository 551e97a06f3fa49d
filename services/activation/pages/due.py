"""The one thing that is due for a customer: what it is, where it is done, and who may do it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.activation.checklist import Blocker
from services.activation.models import Activation
from shared.base.words import Words

May = Callable[[str], bool]
"""Whether the person who looks may do what a scope allows."""


@dataclass(frozen=True)
class Due:
    """A button that leads to where the due thing is done.

    It is secondary where it leads to a look at what others are to do.
    """

    href: str
    words: Words
    kind: str = "primary"


@dataclass(frozen=True)
class _Way:
    path: str
    scope: str
    words: Words
    kind: str = "primary"


_ORDER = "/orders/{order}"
_REGISTRATION = "/registrations/{id}"
_ACTIVATE = "/onboardings/{id}/activate"
_SEE_ORDER = _Way(_ORDER, "orders:read", Words("Bekijk de order", "See the order"), "secondary")
_SEND_AGAIN = _Way(_ACTIVATE, "users:activate", Words("Stuur ze opnieuw", "Send them again"))

WAYS: Mapping[str, tuple[_Way, ...]] = {
    "review": (
        _Way(
            _REGISTRATION,
            "registrations:review",
            Words("Controleer de inschrijving", "Check the sign-up"),
        ),
    ),
    "administration_failed": (
        _Way(
            _REGISTRATION,
            "administrations:create",
            Words("Maak de administratie opnieuw", "Make the administration again"),
        ),
    ),
    "signature_missing": (
        _Way(
            _ORDER,
            "orders:confirm",
            Words("Leg de ondertekening vast", "Record the signature"),
        ),
        _SEE_ORDER,
    ),
    "collection_held": (
        _Way(
            "/held-results",
            "orders:confirm",
            Words("Beslis over het resultaat", "Decide on the result"),
        ),
        _SEE_ORDER,
    ),
    "collection_expected": (_SEE_ORDER,),
    "collection_failed": (_SEE_ORDER,),
    "release_withdrawn": (_SEE_ORDER,),
    "suspended": (_SEE_ORDER,),
    "ready_to_activate": (
        _Way(
            _ACTIVATE,
            "users:activate",
            Words("Verstuur de inloggegevens", "Send the login details"),
        ),
    ),
    "undeliverable": (_SEND_AGAIN,),
    "credentials_expired": (_SEND_AGAIN,),
    "login_expected": (
        _Way(
            _ACTIVATE,
            "users:activate",
            Words("Stuur de inloggegevens opnieuw", "Send the login details again"),
            "secondary",
        ),
    ),
}
"""By what a customer waits for; the first way that a person may go is theirs."""


def due(activation: Activation, blocker: Blocker | None, may: May) -> Due | None:
    """The button for whoever looks; None where there is nothing that they could do."""
    for way in WAYS.get(blocker.code, ()) if blocker else ():
        if not may(way.scope) or ("{order}" in way.path and not activation.order_reference):
            continue
        path = way.path.format(id=activation.onboarding_id, order=activation.order_reference)
        return Due(path, way.words, way.kind)
    return None
