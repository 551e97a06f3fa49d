"""Composition: what makes registration a service."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlmodel import col

from services.registration import charts
from services.registration.customers import customer_names
from services.registration.earlier_versions import find_by_reference
from services.registration.handlers import ADMINISTRATIONS, CUSTOMERS, SUBSCRIPTIONS
from services.registration.models import (
    BaseAdministration,
    Chart,
    RegistrationTable,
    base_key,
)
from shared.base.words import Words
from shared.host.runtime import Runtime
from shared.host.service import Service
from shared.host.settings import Settings
from shared.persistence.bulk import insert_rows
from shared.trade.catalogue import Catalogue
from shared.web.navigation import NavigationEntry

STANDARD = "Standaard administratie"
EDITIONS = frozenset({"3396525632f1b5fb58c2001da5d9da080b8f53fa59997707e38640c61a1b2041"})
"""Every chart that was ever shipped as the standard one, by its fingerprint."""


WAITS_AT = dict.fromkeys(
    (
        "registration.make_administration",
        "registration.put_base_administration",
        "administration_failed",
    ),
    "INRICHTEN",
)

if TYPE_CHECKING:
    from fastapi import APIRouter

NAVIGATION = (
    NavigationEntry("/registrations", Words("Controleren", "Check"), "registrations:review"),
)
"""At which step a customer waits when one of these fails, where it is not the first."""


def build(settings: Settings) -> Service:
    """The registration service, not yet running."""
    return Service(
        name="registration",
        subscriptions=SUBSCRIPTIONS,
        metadata=RegistrationTable.metadata,
        folder=Path(__file__).parent,
        router=_router,
        resources={Catalogue: Catalogue.load(settings.catalogue)},
        series=(CUSTOMERS, ADMINISTRATIONS),
        customers=customer_names,
        steps=("AANMELDEN", "INRICHTEN"),
        waits_at=WAITS_AT,
        scopes={
            "registrations:review": ("see sign-ups that wait for review; register or decline them"),
            "administrations:create": "make administrations and base administrations",
        },
        at_start=make_ready,
        pages=_pages,
        navigation=NAVIGATION,
    )


def make_ready(runtime: Runtime) -> None:
    """Have the base administration to copy, and what an earlier version left without reference."""
    ship_standard_chart(runtime)
    find_by_reference(runtime.database)


def ship_standard_chart(runtime: Runtime) -> None:
    """Have the base administration that every office can copy, in its present edition.

    One that KING's back office put in its place stays, though it be at this very moment; and other
    replicas may start at the same one. So nothing is looked at first: each statement says by itself
    whether there is anything to do.
    """
    accounts = charts.shipped_chart()
    fingerprint, key = charts.chart_id(accounts), base_key("", charts.SHIPPED)
    chart = Chart(id=fingerprint, accounts=charts.as_rows(accounts))
    base = BaseAdministration(key=key, code=charts.SHIPPED, name=STANDARD, chart_id=fingerprint)
    with runtime.database.begin() as session:
        insert_rows(session, Chart, [chart.model_dump()], new_only=True)
        insert_rows(session, BaseAdministration, [base.model_dump()], new_only=True)
        session.execute(
            update(BaseAdministration)
            .where(col(BaseAdministration.key) == key)
            .where(col(BaseAdministration.name) == STANDARD)
            .where(col(BaseAdministration.chart_id).in_(EDITIONS - {fingerprint}))
            .values(chart_id=fingerprint)
        )


# What speaks HTTP takes long to load, and a chore at the command line needs none of it.


def _router(runtime: Runtime) -> "APIRouter":
    from services.registration.api import router

    return router(runtime)


def _pages(runtime: Runtime) -> "APIRouter":
    from services.registration.pages import pages

    return pages(runtime)
