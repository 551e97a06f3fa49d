"""An office that paid for its customers, or did not, says so in a word after the upgrade."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text
from sqlmodel import Session, col, select

from infra.composition import build_service
from services.signup.models import Office, Signup
from shared.host.settings import Settings
from shared.persistence.database import Database
from shared.persistence.schema import _config, upgrade

MIGRATIONS = build_service("signup", Settings()).migrations

OFFICE = text(
    "INSERT INTO office (code, name, email, language, review, base_administration,"
    " pays_for_customers) VALUES (:code, 'N', 'n@n.example', 'nl', 'flagged', 's', :pays)"
)
CHANGE = text("UPDATE office SET pays_for_customers = :pays WHERE code = '1'")
SIGNUP = text("INSERT INTO signup (onboarding_id, status) VALUES (:code, 'rejected')")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    sqlite = f"sqlite:///{tmp_path}/signup.db"
    url = (
        sqlite if request.param == "sqlite" else request.getfixturevalue("make_database")("office")
    )
    database = Database(url)
    yield database
    database.close()


def move(database: Database, revision: str, *, back: bool = False) -> None:
    """Bring the schema to where another version has it."""
    with database.engine.begin() as connection:
        config = _config(MIGRATIONS)
        config.attributes["connection"] = connection
        (command.downgrade if back else command.upgrade)(config, revision)


def enter(database: Database, code: str, pays: bool) -> None:
    """An office as the version before entered it."""
    with database.engine.begin() as connection:
        connection.execute(OFFICE, {"code": code, "pays": pays})
        connection.execute(SIGNUP, {"code": code})


def test_an_office_of_before_keeps_its_word(database: Database) -> None:
    # Given a version before, with an office that pays for its customers and one that does not,
    move(database, "signup_0001")
    enter(database, "1", True)
    enter(database, "2", False)
    # When the schema is upgraded,
    upgrade(database, MIGRATIONS)
    # Then a person looks where there was a yes, and nothing else has changed.
    with Session(database.engine) as session:
        offices = session.exec(select(Office).order_by(col(Office.code))).all()
        assert [office.how_it_pays for office in offices] == ["review", "no"]
        assert [(office.sites, office.color) for office in offices] == [([], None), ([], None)]
        assert [signup.contact for signup in session.exec(select(Signup))] == [None, None]


def test_the_way_back_says_yes_where_an_office_pays_at_all(database: Database) -> None:
    upgrade(database, MIGRATIONS)
    with Session(database.engine) as session:
        session.add(Office.of(code="1", name="N", email="n@n.example", pays_for_customers="yes"))
        session.commit()
    move(database, "signup_0001", back=True)
    with database.engine.begin() as connection:
        words = connection.exec_driver_sql("SELECT pays_for_customers FROM office").scalars().all()
    assert [bool(word) for word in words] == [True]


@pytest.mark.parametrize(
    ("word", "pays", "then"),
    [("yes", False, "no"), ("review", False, "no"), ("no", True, "review"), ("yes", True, "yes")],
)
def test_a_version_that_knows_yes_and_no_goes_on_beside_this_one(
    database: Database, word: str, pays: bool, then: str
) -> None:
    # Given the current schema, with an office of this version and one of the version before,
    upgrade(database, MIGRATIONS)
    enter(database, "2", pays)
    with Session(database.engine) as session:
        session.add(Office.of(code="1", name="N", email="n@n.example", pays_for_customers=word))
        session.commit()
    # When the version before reads the first, and changes it,
    with database.engine.begin() as connection:
        read = connection.execute(text("SELECT pays_for_customers FROM office WHERE code = '1'"))
        assert bool(read.scalar_one()) is (word != "no")
        connection.execute(CHANGE, {"pays": pays})
    # Then what it said holds, and nobody pays unseen who did not say so here.
    with Session(database.engine) as session:
        offices = session.exec(select(Office).order_by(col(Office.code))).all()
        assert [office.how_it_pays for office in offices] == [then, "review" if pays else "no"]
