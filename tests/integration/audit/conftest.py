"""Customers who have come all the way, on each kind of database, and books that can be spoiled."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import ColumnElement, Table, delete, insert, select, update

from infra.composition import build_services, service_names
from infra.demo.demonstration import Demonstration
from infra.demo.simulators import website
from infra.operations.audit.books import Books, Finding, Ledgers
from infra.operations.audit.closing import close_books
from infra.operations.audit.queues import EMBEDDED
from services.signup.models import Signup
from shared.host.settings import Settings
from shared.persistence.database import Database
from shared.processing.store.tables import Inbox, Outbox
from tests.e2e.stage import Stage, one_process
from tests.servers.postgres import Databases

OUTBOX: Table = Outbox.__table__  # type: ignore[attr-defined]
INBOX: Table = Inbox.__table__  # type: ignore[attr-defined]
CUSTOMERS = 5
REJECTED = 1
Row = dict[str, Any]


@dataclass
class Spoiler:
    """The databases of services at work, which a test may spoil; each is mended afterwards."""

    stage: Stage
    ledgers: Ledgers
    customers: Sequence[str]
    stack: ExitStack

    def close(self, **how: Any) -> Books:
        """Close the books; nothing is on its way, so that two looks may follow on each other."""
        return close_books(self.ledgers, how.pop("queues", EMBEDDED), **({"pause": 0.01} | how))

    def database(self, service: str) -> Database:
        return self.ledgers[service][1]

    def rows(self, service: str, table: Table, *where: ColumnElement[bool]) -> list[Row]:
        with self.database(service).read() as session:
            found = session.execute(select(table).where(*where))
            return [dict(zip(table.columns.keys(), row, strict=True)) for row in found]

    def said(self, service: str, event: str) -> Row:
        """An event that a service said about the first of the customers."""
        about = OUTBOX.c.subject == self.customers[0]
        return self.rows(service, OUTBOX, OUTBOX.c.type == event, about)[0]

    def take_away(self, service: str, table: Table, *where: ColumnElement[bool]) -> None:
        """Have rows gone, as after a disk that failed."""
        rows = self.rows(service, table, *where)
        assert rows, "there is nothing to take away"
        self._execute(service, delete(table).where(*where))
        self.stack.callback(self._execute, service, insert(table).values(rows))

    def add(self, service: str, table: Table, row: Row) -> None:
        """Have a row there that no code has written."""
        self._execute(service, insert(table).values(row))
        (key,) = table.primary_key.columns
        undo = delete(table).where(key == row[key.name])
        self.stack.callback(self._execute, service, undo)

    def change(self, service: str, table: Table, row: Row, **values: Any) -> None:
        """Have a row say something else."""
        (key,) = table.primary_key.columns
        its = key == row[key.key]
        self._execute(service, update(table).where(its).values(**values))
        before = {name: row[name] for name in values}
        self.stack.callback(self._execute, service, update(table).where(its).values(**before))

    def _execute(self, service: str, statement: Any) -> None:
        with self.database(service).begin() as session:
            session.execute(statement)


@pytest.fixture(
    scope="package", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]
)
def travelled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """Services at work, with customers who have logged in and one who was rejected."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"), http_port=0)
    databases: Databases | None = None
    if request.param == "postgresql":
        databases = request.getfixturevalue("databases")
        made = databases.make_each(service_names())
        settings = settings.model_copy(update={"database_url": made})
    with one_process(settings) as stage:
        _travel(stage)
        yield stage
    for name in service_names() if databases else ():
        databases.drop(settings.database_url_of(name))  # type: ignore[union-attr]


def _travel(stage: Stage) -> None:
    shown = Demonstration(stage.addresses, stage.key, stage.settings.data_dir, stage.king)
    documents = [*website.signups(CUSTOMERS, seed=4), website.mistakes(strangers=False)[0]]
    try:
        shown.emit(stage.line, documents)
        shown.play(lambda *_: None, patience=30.0)
    finally:
        shown.close()
    assert not shown.underway


@pytest.fixture
def spoiler(travelled: Stage) -> Iterator[Spoiler]:
    with ExitStack() as stack, opened(travelled.settings) as ledgers:
        signups: Table = Signup.__table__  # type: ignore[attr-defined]
        with ledgers["signup"][1].read() as session:
            accepted = select(signups.c.onboarding_id).where(signups.c.reference.is_not(None))
            customers = sorted(session.execute(accepted).scalars())
        mending = stack.enter_context(ExitStack())
        yield Spoiler(travelled, ledgers, customers, mending)
        mending.close()
        assert close_books(ledgers, EMBEDDED, pause=0).balanced, "a test has left it spoiled"


@contextmanager
def opened(settings: Settings) -> Iterator[Ledgers]:
    services = build_services(settings)
    ledgers = {it.name: (it, Database(settings.database_url_of(it.name))) for it in services}
    yield ledgers
    for _, database in ledgers.values():
        database.close()


def kinds(books: Books) -> list[str]:
    return [finding.kind for finding in books.findings]


def only(books: Books) -> Finding:
    """The one thing that was found."""
    (finding,) = books.findings
    return finding


def with_id(event: Mapping[str, Any], event_id: str) -> Row:
    """The same event under another id, as it would be said a second time."""
    document = json.loads(event["body"]) | {"id": event_id}
    return {**event, "id": event_id, "body": json.dumps(document).encode()}
