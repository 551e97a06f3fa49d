"""`stappenplan dead retry --all`: after an outage, with one command, and no more than is meant."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from infra.composition import decoder
from infra.operations.dead_letters.together import retry_all
from shared.host.settings import Settings
from shared.notifications.tables import FAILED, Notification
from shared.persistence.clock import database_now
from shared.persistence.database import Database
from shared.processing import Person
from shared.processing.store import triage
from shared.processing.store.tables import DEAD, Inbox, ProcessingTable
from shared.processing.store.triage import Care
from tests.integration.command_line.shell import Shell
from tests.servers.postgres import MakeDatabase

SUBJECT = "11111111-aaaa-4aaa-8aaa-000000000001"
OUTAGE = "it was delivered again and again"
AMOUNT = "data.amount_cents: Input should be greater than 0"
MANY = 1_100
"""More than any list shows, and than is read at a time."""


def letter_id(number: int) -> str:
    return str(UUID(int=number))


def letter(number: int, error: str) -> Inbox:
    return Inbox(
        id=letter_id(number),
        type="customer.released.v1",
        subject=SUBJECT,
        digest="d",
        status=DEAD,
        received_at=datetime.now(UTC) - timedelta(minutes=number),
        attempts=6,
        body=b"{}",
        properties="{}",
        error=error,
    )


@pytest.fixture
def letters(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """What an outage left dead at two services, and what is dead for another reason."""
    shell("db", "upgrade")
    settings, now = shell.read_settings(monkeypatch), datetime.now(UTC)
    left = {
        "signup": [letter(number, OUTAGE) for number in range(MANY)],
        "billing": [letter(1, OUTAGE), letter(2, AMOUNT), letter(3, OUTAGE)],
    }
    for service, rows in left.items():
        database = Database(settings.database_url_of(service))
        with database.begin() as session:
            session.add_all(rows)
            if service == "billing":
                care = Care("KING looks at it", "anna", on_hold=True)
                triage.put(session, letter_id(3), care, "anna", now)
                session.add(failed_mail(now))
        database.close()
    return shell


def failed_mail(now: datetime) -> Notification:
    return Notification(
        id=letter_id(4),
        kind="order_confirmation",
        channel="email",
        recipient="weg@klant.example",
        language="nl",
        onboarding_id=SUBJECT,
        params={},
        status=FAILED,
        created_at=now,
        due_at=now,
        attempts=5,
        error="the mailbox does not exist",
    )


def still_dead(shell: Shell, service: str) -> set[str]:
    return {row["id"] for row in shell.json("dead", "list", service, "--json")}


def test_all_that_died_of_one_thing_is_retried_and_nothing_else(letters: Shell) -> None:
    # When an operator retries all that the outage left,
    answer = letters("dead", "retry", "--all", "--like", "Again and AGAIN", "--why", "it is over")
    # Then every service says how many that were,
    assert answer.returncode == 0, answer.stderr
    assert f"signup: {MANY} letters due again" in answer.stdout
    assert "billing: 1 letter due again" in answer.stdout
    # what somebody has put on hold stays, as does what died of something else,
    assert "billing: 1 letter left, being on hold" in answer.stdout
    assert still_dead(letters, "signup") == set()
    assert still_dead(letters, "billing") == {letter_id(number) for number in (2, 3, 4)}
    # and each is on record.
    shown = letters.json("dead", "show", "billing", letter_id(1), "--json")
    assert (shown["status"], shown["decision"]) == ("waiting", "retry: it is over")


def test_all_of_one_service_mails_too(letters: Shell) -> None:
    answer = letters("dead", "retry", "billing", "--all")
    assert answer.returncode == 0, answer.stderr
    assert "billing: 3 letters due again" in answer.stdout
    assert still_dead(letters, "billing") == {letter_id(3)}
    assert len(still_dead(letters, "signup")) == 500  # As many as a list shows.


def test_a_group_is_retried_by_its_fingerprint(letters: Shell) -> None:
    rows = letters.json("dead", "list", "billing", "--json")
    fingerprint = next(row["fingerprint"] for row in rows if row["error"] == AMOUNT)
    answer = letters("dead", "retry", "--all", "--like", fingerprint)
    assert answer.stdout.strip() == "billing: 1 letter due again"


@pytest.mark.parametrize(
    "words",
    [
        ("retry",),
        ("retry", "billing"),
        ("retry", "billing", letter_id(1), "--like", "x"),
        ("retry", "billing", letter_id(1), "--all"),
        ("retry", "nobody", "--all"),
        ("retry", "--all", "--like", ""),
        ("retry", "billing", letter_id(1), "--like", ""),
    ],
)
def test_what_is_not_clear_is_refused(letters: Shell, words: tuple[str, ...]) -> None:
    assert letters("dead", *words).returncode == 2
    assert letter_id(1) in still_dead(letters, "billing")


def test_when_nothing_fits_it_says_so(letters: Shell) -> None:
    answer = letters("dead", "retry", "--all", "--like", "the moon")
    assert (answer.returncode, answer.stdout) == (0, "nothing that is dead died of 'the moon'\n")


HOUR_BEHIND = """
CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
    $$ SELECT pg_catalog.clock_timestamp() - interval '1 hour' $$
"""


def test_what_is_retried_is_due_by_the_databases_time(make_database: MakeDatabase) -> None:
    # Given a dead letter in a database whose clock is an hour behind that of who retries,
    url = make_database("billing")
    database = Database(url)
    ProcessingTable.metadata.create_all(database.engine)
    with database.begin() as session:
        session.add(letter(1, OUTAGE))
        session.execute(text(HOUR_BEHIND))
        name = make_url(url).database
        session.execute(text(f'ALTER DATABASE "{name}" SET search_path = public, pg_catalog'))
    database.close()
    # When it is retried with all others, Then it is due now for those who look, not in an hour.
    database = Database(url)
    own, who = decoder(Settings(), "billing"), Person("anna")
    retry_all("billing", database, own, like="", by=who, why="it is over", step=lambda: None)
    with database.read() as session:
        due_at = session.get_one(Inbox, letter_id(1)).due_at
    assert due_at is not None
    assert due_at <= database_now(database)
    database.close()
