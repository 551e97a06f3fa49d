"""Composition: what makes registration a service."""

from pathlib import Path

from sqlalchemy import update
from sqlmodel import col

from services.registration import charts
from services.registration.api import router
from services.registration.customers import customer_names
from services.registration.handlers import ADMINISTRATIONS, CUSTOMERS, SUBSCRIPTIONS
from services.registration.models import (
    BaseAdministration,
    Chart,
    Registration,
    RegistrationTable,
    base_key,
)
from shared.host.runtime import Runtime
from shared.host.service import Service
from shared.host.settings import Settings
from shared.persistence.database import Database
from shared.trade.catalogue import Catalogue

STANDARD = "Standaard administratie"
EDITIONS = frozenset({"3396525632f1b5fb58c2001da5d9da080b8f53fa59997707e38640c61a1b2041"})
"""Every chart that was ever shipped as the standard one, by its fingerprint."""


def build(settings: Settings) -> Service:
    """The registration service, not yet running."""
    return Service(
        name="registration",
        subscriptions=SUBSCRIPTIONS,
        metadata=RegistrationTable.metadata,
        folder=Path(__file__).parent,
        router=router,
        resources={Catalogue: Catalogue.load(settings.catalogue)},
        series=(CUSTOMERS, ADMINISTRATIONS),
        customers=customer_names,
        scopes={
            "registrations:review": ("see sign-ups that wait for review; register or decline them"),
            "administrations:create": "make administrations and base administrations",
        },
        at_start=make_ready,
    )


def make_ready(runtime: Runtime) -> None:
    """Have the base administration to copy, and what an earlier version left without reference."""
    ship_standard_chart(runtime)
    find_by_reference(runtime.database)


def find_by_reference(database: Database) -> None:
    """Have found by their references also those of whom an earlier version has heard."""
    reference = col(Registration.accepted)["reference"].as_string()
    unnamed = col(Registration.reference).is_(None), col(Registration.office_code).is_not(None)
    with database.begin() as session:
        session.execute(update(Registration).where(*unnamed).values(reference=reference))


def ship_standard_chart(runtime: Runtime) -> None:
    """Have the base administration that every office can copy, in its present edition.

    One that KING's back office put in its place stays.
    """
    accounts = charts.shipped_chart()
    fingerprint, key = charts.chart_id(accounts), base_key("", charts.SHIPPED)
    with runtime.database.begin() as session:
        present = session.get(BaseAdministration, key)
        if present is not None and not _as_shipped(present):
            return
        session.merge(Chart(id=fingerprint, accounts=charts.as_rows(accounts)))
        session.merge(
            BaseAdministration(key=key, code=charts.SHIPPED, name=STANDARD, chart_id=fingerprint)
        )


def _as_shipped(base: BaseAdministration) -> bool:
    """Whether nobody has changed it since this version, or an earlier one, shipped it."""
    return base.name == STANDARD and base.chart_id in EDITIONS
