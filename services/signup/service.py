"""Composition: what makes signup a service."""

from pathlib import Path

from services.signup.api import router
from services.signup.customers import customer_names
from services.signup.handlers import SERIES, SUBSCRIPTIONS
from services.signup.models import Office, SignupTable
from shared.host.runtime import Runtime
from shared.host.service import Service
from shared.host.settings import Settings
from shared.trade.catalogue import Catalogue

EXAMPLE = Office.of(
    code="0042",
    name="Administratiekantoor De Linde",
    email="kantoor@delinde.example",
    phone="+31 20 000 00 42",
    pays_for_customers="yes",
)
"""The office that the embedded default starts with, so that the examples work at once."""


def build(settings: Settings) -> Service:
    """The signup service, not yet running."""
    return Service(
        name="signup",
        subscriptions=SUBSCRIPTIONS,
        metadata=SignupTable.metadata,
        folder=Path(__file__).parent,
        router=router,
        resources={Catalogue: Catalogue.load(settings.catalogue), Settings: settings},
        series=(SERIES,),
        customers=customer_names,
        scopes={
            "signup:submit": "submit sign-ups, as an office's website does",
            "signup:withdraw": "withdraw an onboarding",
            "offices:manage": "add and change offices (KING back office)",
        },
        at_start=have_example_office,
    )


def have_example_office(runtime: Runtime) -> None:
    """Have, on the embedded default, the example office; elsewhere offices are added by name."""
    if not runtime.settings.embedded:
        return
    with runtime.database.begin() as session:
        if session.get(Office, EXAMPLE.code) is None:
            session.add(Office(**EXAMPLE.model_dump()))
