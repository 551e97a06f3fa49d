"""The ledger finds what is wrong: an auditor who never objects proves nothing."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from shared.host.settings import Settings
from shared.persistence.database import Database
from tests.crashes.ledger import SIGNED_UP, Effects, Ledger, audit
from tests.crashes.plant import Plant
from tests.servers.premises import free_ports

Tamper = Callable[[str, str], None]
Read = Callable[[], Ledger]
pytestmark = pytest.mark.xdist_group("ledger")


@pytest.fixture(scope="module")
def good_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """Three customers who signed up, on the embedded default; the process has ended."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("run"), http_port=free_ports(1)[0])
    plant = Plant(settings)
    plant.start()
    plant.await_ready()
    with plant.load(3):
        pass
    plant.await_settled().insist()
    assert plant.stop() == 0
    yield plant
    plant.close()


@pytest.fixture
def copy(good_run: Plant, tmp_path: Path) -> Settings:
    """The books of that run, to be tampered with."""
    data_dir = tmp_path / "copy"
    shutil.copytree(good_run.settings.data_dir, data_dir)
    return Settings(data_dir=data_dir)


@pytest.fixture
def tamper(copy: Settings) -> Tamper:
    def change(service: str, statement: str) -> None:
        with (
            closing(Database(copy.database_url_of(service))) as database,
            database.engine.begin() as connection,
        ):
            values = {"new": str(uuid4())} if ":new" in statement else {}
            done = connection.execute(text(statement), values)
            assert done.rowcount > 0, "nothing was tampered with"

    return change


@pytest.fixture
def read(copy: Settings, good_run: Plant) -> Read:
    return lambda: audit(copy, good_run.submitted)


def any_row(kind: str, table: str = "outbox", column: str = "type") -> str:
    return f"(SELECT id FROM {table} WHERE {column} = '{kind}' LIMIT 1)"


def test_a_good_run_is_clean(read: Read) -> None:
    # Given books that nobody tampered with,
    # When the ledger is read,
    ledger = read()
    # Then nothing is wrong.
    ledger.insist()


@pytest.mark.parametrize(
    ("service", "statement"),
    [
        ("signup", f"DELETE FROM inbox WHERE id = {any_row('signup.submitted.v1', 'inbox')}"),
        ("activation", f"DELETE FROM inbox WHERE id = {any_row('signup.accepted.v1', 'inbox')}"),
        ("registration", f"DELETE FROM outbox WHERE id = {any_row('registration.completed.v1')}"),
        ("signup", "DELETE FROM notification WHERE kind = 'signup_received'"),
        ("billing", "UPDATE notification SET provider_id = 'never-written.eml'"),
    ],
)
def test_what_is_nowhere_is_lost(service: str, statement: str, tamper: Tamper, read: Read) -> None:
    # Given books in which an event, an effect or a mail has vanished without a trace
    tamper(service, statement)
    # When the ledger is read,
    ledger = read()
    # Then it is lost.
    assert ledger.lost
    assert not ledger.settled


COLUMNS = "type, subject, body, created_at, leased_until, published_at, attempts"
MAIL = "onboarding_id, channel, recipient, language, params, created_at, attempts, provider_id"


@pytest.mark.parametrize(
    ("service", "statement"),
    [
        (
            "signup",
            f"INSERT INTO outbox (id, {COLUMNS}) SELECT :new, {COLUMNS} FROM outbox "
            f"WHERE id = {any_row('signup.accepted.v1')}",
        ),
        (
            "billing",
            f"INSERT INTO notification (id, kind, status, {MAIL}) "
            f"SELECT :new, kind, status, {MAIL} FROM notification "
            f"WHERE id = {any_row('order_confirmation', 'notification', 'kind')}",
        ),
        ("registration", "UPDATE registration SET customer_number = '100001'"),
        (
            "activation",
            "UPDATE inbox SET id = :new WHERE id = "
            + any_row("registration.completed.v1", "inbox"),
        ),
    ],
)
def test_what_happened_twice_is_duplicated(
    service: str, statement: str, tamper: Tamper, read: Read
) -> None:
    # Given books in which one cause has two effects, an effect none, or two customers one number
    tamper(service, statement)
    # When the ledger is read,
    ledger = read()
    # Then it is found.
    assert ledger.duplicated


@pytest.mark.parametrize(
    ("service", "statement"),
    [
        ("billing", "UPDATE outbox SET published_at = NULL"),
        ("billing", "UPDATE notification SET status = 'waiting'"),
        ("activation", "UPDATE inbox SET status = 'waiting' WHERE type = 'signup.accepted.v1'"),
    ],
)
def test_what_is_under_way_is_waiting(
    service: str, statement: str, tamper: Tamper, read: Read
) -> None:
    # Given books in which something is due again
    tamper(service, statement)
    # When the ledger is read,
    ledger = read()
    # Then it waits, and counts neither as lost nor as settled.
    assert ledger.waiting
    assert not ledger.lost
    assert not ledger.settled


def test_a_dead_letter_is_told_and_does_not_count_as_lost(tamper: Tamper, read: Read) -> None:
    # Given a message that a person has to decide about
    where = f"WHERE id = {any_row('registration.completed.v1', 'inbox')}"
    tamper("activation", f"UPDATE inbox SET status = 'dead', error = 'too odd' {where}")
    # When the ledger is read,
    ledger = read()
    # Then it is dead, with its reason.
    assert "too odd" in ledger.dead[0]
    ledger.insist(dead=1)


def test_a_mail_that_left_twice_is_counted_apart(copy: Settings, read: Read) -> None:
    # Given a mail that left again under its own id, and one that nobody wrote
    first = min(copy.data_dir.glob("mail/*.eml"))
    moment, rest = "20260101T000000.000000Z", first.name.split("-", 1)[1]
    shutil.copy(first, first.with_name(f"{moment}-{rest}"))
    shutil.copy(first, first.with_name(f"{moment}-odd-{uuid4()}.eml"))
    # When the ledger is read,
    ledger = read()
    # Then the one is a repetition, as mails may be, and the other has no cause.
    assert ledger.mails_repeated == 1
    assert len(ledger.duplicated) == 1


def test_an_effect_that_never_came_is_lost(copy: Settings, good_run: Plant) -> None:
    # Given a run that stopped at the confirmation,
    # When more is expected of it than that,
    more = Effects((*SIGNED_UP.events, "customer.released.v1"), SIGNED_UP.mails)
    ledger = audit(copy, good_run.submitted, more)
    # Then each customer lacks it.
    assert len(ledger.lost) == len(good_run.submitted)
