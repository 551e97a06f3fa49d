"""Composition: what makes registration a service."""

from pathlib import Path

from services.registration import charts
from services.registration.api import router
from services.registration.handlers import ADMINISTRATIONS, CUSTOMERS, SUBSCRIPTIONS
from services.registration.models import BaseAdministration, Chart, RegistrationTable, base_key
from shared.processing.runtime import Runtime
from shared.processing.service import Service
from shared.settings import Settings


def build(_settings: Settings) -> Service:
    """The registration service, not yet running."""
    return Service(
        name="registration",
        subscriptions=SUBSCRIPTIONS,
        metadata=RegistrationTable.metadata,
        folder=Path(__file__).parent,
        router=router,
        series=(CUSTOMERS, ADMINISTRATIONS),
        at_start=ship_standard_chart,
    )


def ship_standard_chart(runtime: Runtime) -> None:
    """Have the base administration that every office can copy, in its present edition."""
    accounts = charts.shipped_chart()
    fingerprint = charts.chart_id(accounts)
    with runtime.database.begin() as session:
        session.merge(Chart(id=fingerprint, accounts=charts.as_rows(accounts)))
        session.merge(
            BaseAdministration(
                key=base_key("", charts.SHIPPED),
                code=charts.SHIPPED,
                name="Standaard administratie",
                chart_id=fingerprint,
            )
        )
