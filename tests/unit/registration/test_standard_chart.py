"""The base administration that ships with the product, from one start to the next."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from services.registration import charts, service
from services.registration.models import BaseAdministration, Chart, base_key
from services.registration.service import EDITIONS, build, ship_standard_chart
from shared.host.runtime import Runtime
from shared.host.settings import Settings
from shared.persistence.database import Database
from shared.persistence.schema import upgrade

KEY = base_key("", charts.SHIPPED)
OTHER = [charts.LedgerAccount(number="1000", name="Kas", rgs="BLimKas", kind="balance")]


@dataclass
class Registration:
    """The service's database, and its start."""

    database: Database

    def start(self) -> None:
        ship_standard_chart(cast(Runtime, self))

    def standard(self) -> dict[str, Any]:
        """What an office copies now."""
        with self.database.read() as session:
            base = session.get_one(BaseAdministration, KEY)
            chart = session.get_one(Chart, base.chart_id)
            return {"name": base.name, "accounts": chart.accounts}

    def put(self, name: str, accounts: list[charts.LedgerAccount]) -> None:
        """KING's back office replaces the standard one."""
        fingerprint = charts.chart_id(accounts)
        with self.database.begin() as session:
            session.merge(Chart(id=fingerprint, accounts=charts.as_rows(accounts)))
            base = session.get_one(BaseAdministration, KEY)
            base.name, base.chart_id = name, fingerprint


@pytest.fixture
def registration(tmp_path: Path) -> Iterator[Registration]:
    database = Database(f"sqlite:///{tmp_path}/registration.db")
    upgrade(database, build(Settings()).migrations)
    yield Registration(database)
    database.close()


def shipped(name: str = service.STANDARD) -> dict[str, Any]:
    return {"name": name, "accounts": charts.as_rows(charts.shipped_chart())}


def test_the_first_start_ships_it_and_another_changes_nothing(registration: Registration) -> None:
    for _ in range(2):
        registration.start()
        assert registration.standard() == shipped()


def test_what_the_back_office_put_in_its_place_stays(registration: Registration) -> None:
    # Given a standard administration that was replaced,
    registration.start()
    registration.put("Van KING zelf", OTHER)
    # When the service starts again, Then it is still the replacement.
    registration.start()
    expected = {"name": "Van KING zelf", "accounts": charts.as_rows(OTHER)}
    assert registration.standard() == expected


def test_another_name_for_the_shipped_chart_stays(registration: Registration) -> None:
    registration.start()
    registration.put("Zo heet het hier", charts.shipped_chart())
    registration.start()
    assert registration.standard() == shipped("Zo heet het hier")


def test_an_edition_that_nobody_changed_makes_room_for_the_next(
    registration: Registration, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a standard administration as an earlier version of the product shipped it,
    registration.start()
    registration.put(service.STANDARD, OTHER)
    monkeypatch.setattr(service, "EDITIONS", EDITIONS | {charts.chart_id(OTHER)})
    # When this version starts, Then it is in its present edition.
    registration.start()
    assert registration.standard() == shipped()


def test_the_present_edition_is_among_those_that_were_shipped() -> None:
    # Add the new fingerprint beside the old ones when the chart is edited.
    assert charts.chart_id(charts.shipped_chart()) in EDITIONS
