"""A small service of the tests' own that greets people, by mail and by text message."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

from fastapi import APIRouter
from sqlalchemy import MetaData, select

from shared.events.envelope import Envelope
from shared.host.role import Role
from shared.host.runtime import Runtime
from shared.host.service import Service
from shared.host.settings import Settings
from shared.notifications.kinds import NotificationKind
from shared.notifications.messages import Mail, Text
from shared.notifications.queue import enqueue
from shared.notifications.senders.outgoing import OutgoingMessage
from shared.notifications.senders.protocol import Senders
from shared.notifications.tables import WAITING, Notification
from shared.persistence.clock import Machine
from shared.persistence.database import Database
from shared.processing import Command, Effect, Person, on
from shared.processing.decoding import PublisherRules
from shared.processing.effects import CausedEffect
from shared.processing.store.tables import ProcessingTable
from shared.processing.testing import MONDAY, RecordingBus, onboarding

MAIL_ADDRESS, PHONE_NUMBER = "klant@bakkerij.example", "+31612345678"
MAIL_TEMPLATE = "{% block subject %}Dag{% endblock %}{% block body %}Dag {{ name }}{% endblock %}"
TEXT_TEMPLATE = "Dag {{ name }}"

LOOK_AROUND = timedelta(minutes=5)
"""When whoever delivers looks again for what was due and could not be had."""


class Greet(Command):
    command_type: ClassVar[str] = "mailroom.greet"
    name: str


def greet(command: Greet) -> Sequence[Effect]:
    return [Mail("greeting", MAIL_ADDRESS, "nl", {"name": command.name})]


class Provider:
    """A provider of both channels that raises its `failures` in turn, and then works."""

    def __init__(self, *failures: BaseException) -> None:
        self.failures = list(failures)
        self.sent: list[OutgoingMessage] = []

    def send(self, message: OutgoingMessage) -> str:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(message)
        return f"provider-{len(self.sent)}"

    @property
    def keys(self) -> list[str]:
        """Which messages it took."""
        return [message.message_key for message in self.sent]


class Mailroom:
    """One process of the service, without its threads: the test says when it delivers."""

    def __init__(
        self, url: str, folder: Path, only: Role | None = None, machine: Machine | None = None
    ) -> None:
        """With a `machine` it goes by the database's time, and not by the test's."""
        self.now = MONDAY
        self.bus = RecordingBus()
        self.provider = Provider()
        self.kinds: dict[str, NotificationKind] = {}
        senders = Senders(email=_Redirected(self), sms=_Redirected(self))
        self.runtime = Runtime(
            _service(folder, self.kinds),
            Settings(database_url=url, data_dir=folder),
            self.bus,
            senders,
            PublisherRules(),
            None if machine else lambda: self.now,
            only=only,
            machine=machine,
        )
        self.database: Database = self.runtime.database

    def make_tables(self) -> None:
        ProcessingTable.metadata.create_all(self.database.engine)

    def close(self) -> None:
        self.runtime.stop()

    def greet(self, *names: str) -> None:
        """Somebody asks that these be greeted; it is handled as any other message."""
        for name in names:
            self.runtime.handle(Greet(name=name), subject=onboarding(name), by=Person("tests"))

    def put(self, *names: str, text: bool = False, kind: str = "greeting") -> None:
        """Notifications wait, with these ids."""
        to = PHONE_NUMBER if text else MAIL_ADDRESS
        with self.database.begin() as session:
            for name in names:
                message = (Text if text else Mail)(kind, to, "nl", {"name": name})
                cause = Envelope(name, "/tests", "mailroom.greet", onboarding(name), self.now)
                enqueue(session, [CausedEffect(name, message, cause)], self.now)

    def deliver(self, after: timedelta = timedelta()) -> int:
        """Time goes by; what is due is tried. Returns how many there were."""
        self.now += after
        return self.runtime.sender.deliver_due()

    def pass_time(self, lasts: timedelta) -> None:
        """Time goes by, and whatever falls due meanwhile is tried."""
        end = self.now + lasts
        while self.now < end:
            if not self.deliver():
                self.now = min(end, max(self.next_due(end), self.now + LOOK_AROUND))

    def rows(self) -> dict[str, Notification]:
        with self.database.read() as session:
            return {row.id: row for row in session.execute(select(Notification)).scalars()}

    def row(self) -> Notification:
        (row,) = self.rows().values()
        return row

    def states(self) -> list[str]:
        return sorted(row.status for row in self.rows().values())

    def next_due(self, otherwise: datetime = datetime.max) -> datetime:
        waiting = [row.due_at for row in self.rows().values() if row.status == WAITING]
        return min((due for due in waiting if due is not None), default=otherwise)


class _Redirected:
    """Hands everything to the provider that the test has put into the mailroom."""

    def __init__(self, mailroom: Mailroom) -> None:
        self._mailroom = mailroom

    def send(self, message: OutgoingMessage) -> str:
        return self._mailroom.provider.send(message)


MakeMailroom = Callable[..., Mailroom]


def names(count: int, prefix: str = "mail") -> list[str]:
    """So many notifications, by name."""
    return [f"{prefix} {number}" for number in range(count)]


def _service(folder: Path, kinds: Mapping[str, NotificationKind]) -> Service:
    greeting = folder / "templates" / "greeting"
    greeting.mkdir(parents=True, exist_ok=True)
    (greeting / "nl.md").write_text(MAIL_TEMPLATE)
    (greeting / "nl.sms.txt").write_text(TEXT_TEMPLATE)
    return Service(
        name="mailroom",
        subscriptions=[on(Greet, greet)],
        metadata=MetaData(),
        folder=folder,
        router=lambda _runtime: APIRouter(),
        notification_kinds=kinds,
    )
