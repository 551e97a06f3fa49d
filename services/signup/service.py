"""Composition: what makes signup a service."""

from pathlib import Path
from typing import TYPE_CHECKING

from services.signup.customers import customer_names
from services.signup.handlers import SERIES, SUBSCRIPTIONS
from services.signup.models import Office, SignupTable
from shared.base.words import Words
from shared.host.runtime import Runtime
from shared.host.service import Service
from shared.host.settings import Settings
from shared.persistence.bulk import insert_rows
from shared.trade.catalogue import Catalogue
from shared.web.navigation import NavigationEntry

EXAMPLE = Office.of(
    code="0042",
    name="Administratiekantoor De Linde",
    email="kantoor@delinde.example",
    phone="+31 20 000 00 42",
    pays_for_customers="yes",
)

if TYPE_CHECKING:
    from fastapi import APIRouter

NAVIGATION = (NavigationEntry("/offices", Words("Kantoren", "Offices"), "offices:manage"),)
"""The office that the embedded default starts with, so that the examples work at once."""


WAITS_AT = {
    "registration.completed.v1": "AANMELDEN",
    "registration.declined.v1": "AANMELDEN",
    "signup_declined": "AANMELDEN",
    "customer.activated.v1": "ACTIVEREN",
    "customer.logged_in.v1": "INLOGGEN",
}
"""At which step a customer waits when one of these fails, where it is not the first."""


def build(settings: Settings) -> Service:
    """The signup service, not yet running."""
    return Service(
        name="signup",
        subscriptions=SUBSCRIPTIONS,
        metadata=SignupTable.metadata,
        folder=Path(__file__).parent,
        router=_router,
        resources={Catalogue: Catalogue.load(settings.catalogue), Settings: settings},
        series=(SERIES,),
        customers=customer_names,
        steps=("INSCHRIJVEN",),
        waits_at=WAITS_AT,
        scopes={
            "signup:submit": "submit sign-ups, as an office's website does",
            "signup:withdraw": "withdraw an onboarding",
            "offices:manage": "add and change offices (KING back office)",
        },
        at_start=have_example_office,
        pages=_pages,
        navigation=NAVIGATION,
    )


def have_example_office(runtime: Runtime) -> None:
    """Have, on the embedded default, the example office; elsewhere offices are added by name.

    To look first whether it is there would not do: two processes that start together both miss it.
    """
    if runtime.settings.embedded:
        with runtime.database.begin() as session:
            insert_rows(session, Office, [EXAMPLE.model_dump()], new_only=True)


# What speaks HTTP takes long to load, and a chore at the command line needs none of it.


def _router(runtime: Runtime) -> "APIRouter":
    from services.signup.api import router

    return router(runtime)


def _pages(runtime: Runtime) -> "APIRouter":
    from services.signup.pages import pages

    return pages(runtime)
