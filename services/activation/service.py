"""Composition: what makes activation a service."""

from pathlib import Path
from typing import TYPE_CHECKING

from services.activation.customers import customer_names
from services.activation.earlier_versions import catch_up
from services.activation.handlers import SUBSCRIPTIONS
from services.activation.login.credentials import credentials_kind
from services.activation.login.door import Door
from services.activation.login.forgotten import forgotten_kind
from services.activation.mails import CREDENTIALS, FORGOTTEN
from services.activation.tables import METADATA
from shared.base.words import Words
from shared.host.runtime import Runtime
from shared.host.service import Service
from shared.host.settings import Settings
from shared.trade.catalogue import Catalogue
from shared.web.navigation import NavigationEntry

if TYPE_CHECKING:
    from fastapi import APIRouter

NAVIGATION = (NavigationEntry("/", Words("Werklijst", "Work list"), "onboardings:read"),)

SCOPES = {
    "contacts:amend": "correct where a customer is reached",
    "users:activate": "send customers their credentials",
    "onboardings:read": "see where every customer stands",
}
"""What a caller may be allowed to do here."""


WAITS_AT = {
    # What it only keeps for the checklist is about the step of whoever said it.
    "signup.accepted.v1": "INSCHRIJVEN",
    "signup.rejected.v1": "INSCHRIJVEN",
    "registration.completed.v1": "AANMELDEN",
    "registration.declined.v1": "AANMELDEN",
    "order.confirmation_sent.v1": "AANMELDEN",
    "administration.created.v1": "INRICHTEN",
    "administration.failed.v1": "INRICHTEN",
    "order.confirmation_signed.v1": "BEVESTIGEN",
    "order.signature_withdrawn.v1": "BEVESTIGEN",
    "collection.booked.v1": "VRIJGEVEN",
    "password_forgotten": "INLOGGEN",
    "password_changed": "INLOGGEN",
    "login_locked": "INLOGGEN",
}
"""At which step a customer waits when one of these fails, where it is not the first."""


def build(settings: Settings) -> Service:
    """The activation service, not yet running."""
    return Service(
        name="activation",
        subscriptions=SUBSCRIPTIONS,
        metadata=METADATA,
        folder=Path(__file__).parent,
        router=_router,
        resources={
            Settings: settings,
            Catalogue: Catalogue.load(settings.catalogue),
            Door: Door(),
        },
        customers=customer_names,
        steps=("ACTIVEREN", "INLOGGEN"),
        waits_at=WAITS_AT,
        sessions=_session_is_open,
        scopes=SCOPES,
        pages=_pages,
        navigation=NAVIGATION,
        at_start=catch_up,
        notification_kinds={
            CREDENTIALS: credentials_kind(settings),
            FORGOTTEN: forgotten_kind(),
        },
    )


# What speaks HTTP takes long to load, and a chore at the command line needs none of it.


def _router(runtime: Runtime) -> "APIRouter":
    from services.activation.api import router

    return router(runtime)


def _pages(runtime: Runtime) -> "APIRouter":
    from services.activation.pages import pages

    return pages(runtime)


def _session_is_open(runtime: Runtime, session_id: str) -> bool:
    from services.activation.staff.pages import session_is_open

    return session_is_open(runtime, session_id)
