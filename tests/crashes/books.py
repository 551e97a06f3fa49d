"""What each service's database says, and what lies on the queues and in the mailboxes.

It reads and changes nothing, except that a message which is looked at on a queue goes back to it
as a redelivered one.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pika  # noqa: TID251  An auditor is nobody's colleague.
from sqlalchemy import Table, select
from sqlmodel import Session

from infra.composition import build_services
from shared.host.service import Service
from shared.host.settings import Settings
from shared.notifications.tables import Notification
from shared.persistence.database import Database
from shared.processing.dead_letters import REJECTED
from shared.processing.store.tables import DONE, Inbox, Outbox

INBOX: Table = Inbox.__table__  # type: ignore[attr-defined]
OUTBOX: Table = Outbox.__table__  # type: ignore[attr-defined]
NOTIFICATION: Table = Notification.__table__  # type: ignore[attr-defined]
NUMBERS = ("reference", "customer_number", "administration_number", "login_name")
"""Columns of the entities that hold a number or name which only one customer may have."""


@dataclass(frozen=True)
class Heard:
    """A row of an inbox."""

    id: str
    type: str
    subject: str | None
    status: str
    attempts: int
    error: str | None


@dataclass(frozen=True)
class Told:
    """A row of an outbox."""

    id: str
    type: str
    subject: str
    published: bool
    attempts: int


@dataclass(frozen=True)
class Posted:
    """A mail or text message, as its row tells of it."""

    id: str
    kind: str
    subject: str
    recipient: str
    status: str
    attempts: int
    provider_id: str | None
    error: str | None


@dataclass(frozen=True)
class Books:
    """One service's books."""

    service: str
    hears: frozenset[str]
    says: frozenset[str]
    inbox: dict[str, Heard]
    outbox: dict[str, Told]
    post: dict[str, Posted]
    entities: dict[str, dict[str, Any]]
    """By onboarding id."""


@dataclass(frozen=True)
class Queues:
    """The ids of the messages that lie on each service's queue, and on the one for its dead."""

    waiting: dict[str, set[str]] = field(default_factory=dict)
    dead: dict[str, set[str]] = field(default_factory=dict)


class Bookkeeper:
    """Reads the books of all services, again and again; a context manager."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.services = build_services(settings)
        self._databases = {
            service.name: Database(settings.database_url_of(service.name))
            for service in self.services
        }

    def __enter__(self) -> "Bookkeeper":
        return self

    def __exit__(self, *_error: object) -> None:
        for database in self._databases.values():
            database.close()

    def read(self) -> list[Books]:
        """The books as they are now.

        Raises:
            SQLAlchemyError: a database is away, or has no schema yet.
        """
        found = []
        for service in self.services:
            with self._databases[service.name].read() as session:
                found.append(_read(session, service))
        return found

    def queues(self) -> Queues:
        """What lies on the queues; on the embedded broker, nothing survives its process."""
        if self.settings.embedded:
            return Queues()
        names = [service.name for service in self.services]
        return Queues(
            {name: set(self._look(name, name)) for name in names},
            {name: set(self._look(name, f"{name}.dead")) for name in names},
        )

    def _look(self, service: str, queue: str) -> Iterator[str]:
        # Of a cluster, whichever node answers.
        nodes = [pika.URLParameters(url) for url in self.settings.broker_url_of(service).split(",")]
        with closing(pika.BlockingConnection(nodes)) as line:
            channel = line.channel()
            if not channel.queue_declare(queue, passive=True).method.message_count:
                return
            while (got := channel.basic_get(queue))[0] is not None:
                _, properties, body = got
                yield identity(properties.message_id, body)

    def mailbox(self) -> Counter[str]:
        """How many files there are for each mail: its row's id, with the attempt of a secret."""
        found: Counter[str] = Counter()
        for path in self._letters():
            found[path.stem.split("-", 2)[2]] += 1
        return found

    def letters(self) -> set[str]:
        """The names of the files, which are what the carrier knows a mail by."""
        return {path.name for path in self._letters()}

    def _letters(self) -> Sequence[Path]:
        folder: Path = self.settings.data_dir
        return [*folder.glob("mail/[!.]*.eml"), *folder.glob("sms/[!.]*.txt")]


def identity(message_id: str | None, body: bytes) -> str:
    """The id of a message; of one that has none and cannot be read, what it begins with."""
    if message_id:
        return message_id
    try:
        return str(json.loads(body)["id"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return f"unreadable/{body[:40]!r}"


def _read(session: Session, service: Service) -> Books:
    outbox = {row.id: _told(row) for row in _rows(session, OUTBOX, but="body")}
    post = {row.id: _posted(row) for row in _rows(session, NOTIFICATION, but="params")}
    return Books(
        service.name,
        frozenset(service.hears),
        frozenset(service.says),
        _inbox(session),
        outbox,
        post,
        _entities(session, service),
    )


def _inbox(session: Session) -> dict[str, Heard]:
    """Each row under the id of its message; a refused one has another key than that.

    Where two bear one id, as what is forged may, the refused one stays under its own key.
    """
    rows = list(_rows(session, INBOX, but="digest"))
    found = {row.id: _heard(row, row.id) for row in rows if not _refused(row)}
    for row in filter(_refused, rows):
        properties = json.loads(row.properties or "{}")
        heard_as = identity(properties.get("message_id"), row.body or b"")
        key = row.id if heard_as in found else heard_as
        found[key] = _heard(row, key)
    return found


def _refused(row: Any) -> bool:
    return row.status != DONE and str(row.id).startswith(REJECTED)


def _heard(row: Any, key: str) -> Heard:
    return Heard(key, row.type, row.subject, row.status, row.attempts, row.error)


def _told(row: Any) -> Told:
    return Told(row.id, row.type, row.subject, row.published_at is not None, row.attempts)


def _posted(row: Any) -> Posted:
    return Posted(
        row.id,
        row.kind,
        row.onboarding_id,
        row.recipient,
        row.status,
        row.attempts,
        row.provider_id,
        row.error,
    )


def _rows(session: Session, table: Table, but: str) -> Iterator[Any]:
    columns = [column for column in table.columns if column.name != but]
    return iter(session.execute(select(*columns)))


def _entities(session: Session, service: Service) -> dict[str, dict[str, Any]]:
    """The rows of the one table whose key is the onboarding id, with their numbers alone."""
    tables = [
        table
        for table in service.metadata.tables.values()
        if [column.name for column in table.primary_key] == ["onboarding_id"]
    ]
    found: dict[str, dict[str, Any]] = {}
    for table in tables:
        names = ["onboarding_id", *(name for name in NUMBERS if name in table.c)]
        for row in session.execute(select(*(table.c[name] for name in names))):
            found.setdefault(row.onboarding_id, {}).update(row._mapping)
    return found
