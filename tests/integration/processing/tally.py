"""A small service of the tests' own: it tallies releases, and stumbles when told to."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID, uuid5

from fastapi import APIRouter
from sqlalchemy import MetaData, select
from sqlmodel import Field

from shared.base.errors import Reject
from shared.events import CustomerLoggedIn, CustomerReleased
from shared.events.envelope import CONTENT_TYPE, Envelope
from shared.host.runtime import Runtime
from shared.host.service import Service
from shared.host.settings import Settings
from shared.messaging.bus import Incoming
from shared.notifications.messages import Mail
from shared.notifications.senders import make_senders
from shared.persistence.clock import Machine
from shared.persistence.database import Database
from shared.persistence.entity import Entity
from shared.processing import Command, Effect, Loaded, Scheduled, by_subject, on
from shared.processing.decoding import PublisherRules
from shared.processing.handlers.registry import Call
from shared.processing.store.tables import Inbox, Outbox, ProcessingTable
from shared.processing.testing import RecordingBus

SPACE = UUID("00000000-0000-0000-0000-000000000077")
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class TallyTable(Entity):
    metadata = MetaData()


class Tally(TallyTable, table=True):
    """How often a customer was released, and reminded."""

    onboarding_id: str = Field(primary_key=True, max_length=36)
    releases: int = 0
    reminders: int = 0


class Remind(Command):
    command_type: ClassVar[str] = "tally.remind"


class ProcessDied(BaseException):
    """Stands for a handler that takes the process down with it."""


def tally(event: CustomerReleased, envelope: Envelope, tallies: Loaded[Tally]) -> Sequence[Effect]:
    """Count, and say so; the order's reference tells how to stumble."""
    what = event.order_reference.partition("-")[0]
    if what in STUMBLES and event.order_reference not in MENDED:
        raise STUMBLES[what]
    row = tallies.get(envelope.subject) or tallies.add(
        Tally(onboarding_id=envelope.subject, releases=0, reminders=0)
    )
    row.releases += 1
    effects: list[Effect] = [CustomerLoggedIn(login_name="x", first_login_at=START)]
    if what == "later":
        effects.append(in_time("remind", envelope, timedelta(days=7)))
    if what == "soon":
        effects.append(in_time("soon", envelope, timedelta(seconds=20)))
    if what == "mail":
        effects.append(Mail("greeting", "klant@bakkerij.example", "nl", {"name": "Anna"}))
    return effects


def in_time(what: str, envelope: Envelope, pause: timedelta) -> Scheduled:
    """A reminder, once for each customer."""
    return Scheduled(Remind(), START + pause, key=f"{what}/{envelope.subject}")


def remind(_command: Remind, envelope: Envelope, tallies: Loaded[Tally]) -> Sequence[Effect]:
    row = tallies.get(envelope.subject)
    assert row is not None
    row.reminders += 1
    return []


STUMBLES: dict[str, BaseException] = {
    "broken": RuntimeError("something unexpected"),
    "outside": ConnectionError("the bank's register is down"),
    "never": Reject("this can never work"),
    "deadly": ProcessDied(),
}
MENDED: set[str] = set()
"""References of orders that stumble no longer."""


def service(folder: Path) -> Service:
    greeting = folder / "templates" / "greeting"
    greeting.mkdir(parents=True, exist_ok=True)
    text = "{% block subject %}Dag{% endblock %}{% block body %}Dag {{ name }}{% endblock %}"
    for language in ("nl", "en"):
        (greeting / f"{language}.md").write_text(text)
    return Service(
        name="tally",
        subscriptions=[
            on(CustomerReleased, tally, loads=[by_subject(Tally)]),
            on(Remind, remind, loads=[by_subject(Tally)]),
        ],
        metadata=TallyTable.metadata,
        folder=folder,
        router=lambda _runtime: APIRouter(),
    )


RULES = PublisherRules()
"""Each event is said by the service that owns it."""


class Replica:
    """One process of the service, without its threads: the test says when each does its work."""

    def __init__(
        self,
        url: str,
        folder: Path,
        bus: RecordingBus | None = None,
        rules: PublisherRules = RULES,
        machine: Machine | None = None,
    ) -> None:
        """With a `machine` it goes by the database's time, and not by the test's."""
        self.now = START
        self.bus = bus or RecordingBus()
        settings = Settings(database_url=url, data_dir=folder)
        senders = make_senders(
            mail="file", sms="file", data_dir=folder, mail_from="a@b.example", sms_sender="Tally"
        )
        clock = None if machine else lambda: self.now
        self.runtime = Runtime(
            service(folder), settings, self.bus, senders, rules, clock, machine=machine
        )
        self.database: Database = self.runtime.database

    @property
    def handlers(self) -> dict[str, Call]:
        """The handler of each type of message: a test may put another in its place."""
        return self.runtime.engine._pipeline._handlers._calls

    @property
    def published(self) -> list[str]:
        """The ids of the events that were handed to the bus."""
        return [message.id for message in self.bus.published]

    def make_tables(self) -> None:
        TallyTable.metadata.create_all(self.database.engine)
        ProcessingTable.metadata.create_all(self.database.engine)

    def take(self, *messages: Incoming) -> None:
        self.runtime.engine.take(messages)

    def run_due(self, after: timedelta = timedelta()) -> int:
        """Time goes by; what is due is done."""
        self.now += after
        return self.runtime.engine.run_due()

    def sweep(self, after: timedelta = timedelta()) -> int:
        self.now += after
        return self.runtime.tasks.sweep()

    def live(self, days: int) -> None:
        """Days go by, on each of which it removes what need not be kept any longer."""
        for _ in range(days):
            self.now += timedelta(days=1)
            self.runtime.tasks.clean()

    def tallies(self) -> Counter[str]:
        with self.database.read() as session:
            rows = session.execute(select(Tally)).scalars()
            return Counter({row.onboarding_id: row.releases for row in rows})

    def inbox(self) -> dict[str, Inbox]:
        with self.database.read() as session:
            return {row.id: row for row in session.execute(select(Inbox)).scalars()}

    def outbox(self) -> dict[str, Outbox]:
        with self.database.read() as session:
            return {row.id: row for row in session.execute(select(Outbox)).scalars()}


def customer(name: str) -> str:
    return str(uuid5(SPACE, name))


def release(
    name: str, order: str = "O-1", *, message: str = "", redelivered: bool = False, **data: Any
) -> Incoming:
    """A customer was released; `message` is the event's id, for one that comes twice."""
    document = {
        "specversion": "1.0",
        "id": customer(f"message {message or name}"),
        "source": "/services/billing",
        "type": CustomerReleased.event_type,
        "subject": customer(name),
        "time": START.isoformat(),
        "data": {"order_reference": order, "revision": 1, **data},
    }
    body = json.dumps(document).encode()
    return Incoming(body, CustomerReleased.event_type, CONTENT_TYPE, redelivered=redelivered)


def message_id(name: str) -> str:
    return customer(f"message {name}")
