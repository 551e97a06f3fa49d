"""How a database's place is told: so that it is found, and without who logs in there."""

from pathlib import Path

import pytest

from infra.operations.doctor.database_checks import databases
from infra.whereabouts import place_of, told_of_trouble
from shared.host.settings import Settings
from shared.messaging.addresses import EMBEDDED

SERVER = "postgresql+psycopg://billing:hush@"


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("sqlite:////srv/data/billing.db", "/srv/data/billing.db"),
        (f"{SERVER}db.example/king_billing", "db.example/king_billing"),
        (f"{SERVER}db.example:5433/king?sslmode=require", "db.example:5433/king"),
        (f"{SERVER}one.example,two.example/king", "one.example,two.example/king"),
        (f"{SERVER}/king?host=/run/postgresql&password=hush", "/run/postgresql/king"),
        ("postgresql+psycopg://?service=king", "king"),
    ],
)
def test_a_place_is_told_without_user_and_password(url: str, place: str) -> None:
    assert place_of(url) == place


def test_a_trouble_of_nobody_knows_which_database_is_told_without_a_place() -> None:
    told = told_of_trouble(Settings(), ValueError("no connection is free."))
    assert told == (
        "the database says: no connection is free; `stappenplan doctor` says what to do"
    )


@pytest.mark.parametrize(("broker", "is_well"), [("amqp://127.0.0.1:1", True), (EMBEDDED, False)])
def test_a_service_alone_in_its_folder_is_well_where_the_broker_is_of_its_own(
    tmp_path: Path, broker: str, is_well: bool
) -> None:
    # Given a folder in which sign-up alone has ever run,
    settings = Settings(data_dir=tmp_path, broker_url=broker)
    (tmp_path / "signup.db").touch()
    # When the doctor looks, Then another's database that is not there is told, and is a fault only
    # where all services must run in one process.
    (billing,) = (found for found in databases(settings) if found.check == "database billing")
    assert (billing.ok, billing.warning) == (is_well, is_well)
    assert "billing.db is not there" in billing.finding
