"""A small service of the tests' own: it tallies releases, and stumbles when told to."""

import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID, uuid5

from fastapi import APIRouter
from sqlalchemy import MetaData, select
from sqlmodel import Field

from shared.base.errors import Reject, Retry
from shared.events import CustomerLoggedIn, CustomerReleased
from shared.events.envelope import CONTENT_TYPE, Envelope
from shared.host.runtime import Runtime
from shared.host.service import Service
from shared.host.settings import Settings
from shared.messaging.bus import Incoming, Outgoing, PublishResult
from shared.notifications.messages import Mail
from shared.notifications.senders.protocol import make_senders
from shared.persistence.database import Database
from shared.persistence.entity import Entity
from shared.processing import Command, Effect, Loaded, Scheduled, by_subject, on
from shared.processing.store.tables import Inbox, Outbox, ProcessingTable

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
    one = tallies.get(envelope.subject) or tallies.add(
        Tally(onboarding_id=envelope.subject, releases=0, reminders=0)
    )
    one.releases += 1
    said: list[Effect] = [CustomerLoggedIn(login_name="x", first_login_at=START)]
    if what == "later":
        said.append(Scheduled(Remind(), START + timedelta(days=7), key=f"remind/{envelope.subject}"))
    if what == "soon":
        said.append(Scheduled(Remind(), START + timedelta(seconds=20), key=f"soon/{envelope.subject}"))
    if what == "mail":
        said.append(Mail("greeting", "klant@bakkerij.example", "nl", {"name": "Anna"}))
    return said


def remind(_request: Remind, envelope: Envelope, tallies: Loaded[Tally]) -> Sequence[Effect]:
    one = tallies.get(envelope.subject)
    assert one is not None
    one.reminders += 1
    return []


STUMBLES: dict[str, BaseException] = {
    "broken": RuntimeError("something unexpected"),
    "outside": Retry("the bank's register is down"),
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


class Wire:
    """A bus that keeps what is published and answers as it is told."""

    def __init__(self, answer: PublishResult = PublishResult.CONFIRMED) -> None:
        self.answer = answer
        self.published: list[str] = []

    def open(self) -> None: ...

    def publish(self, messages: Sequence[Outgoing]) -> "Future[list[PublishResult]]":
        self.published += [one.id for one in messages]
        future: Future[list[PublishResult]] = Future()
        future.set_result([self.answer] * len(messages))
        return future

    def receive(self, limit: int, wait: float, linger: float) -> list[Incoming]:
        return []

    def acknowledge(self, messages: Sequence[Incoming]) -> None: ...

    def interrupt(self) -> None: ...

    def healthy(self) -> bool:
        return True

    def silent_for(self) -> float:
        return 0.0

    def close(self) -> None: ...


class Replica:
    """One process of the service, without its threads: the test says when each does its work."""

    def __init__(self, url: str, folder: Path, wire: Wire | None = None) -> None:
        self.now = START
        self.wire = wire or Wire()
        settings = Settings(database_url=url, data_dir=folder)
        senders = make_senders(
            mail="file", sms="file", data_dir=folder, mail_from="a@b.example", sms_sender="Tally"
        )
        made = service(folder)
        self.runtime = Runtime(made, settings, self.wire, senders, lambda: self.now)
        self.database: Database = self.runtime.database

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

    def tallies(self) -> Counter[str]:
        with self.database.read() as session:
            rows = session.execute(select(Tally)).scalars()
            return Counter({one.onboarding_id: one.releases for one in rows})

    def inbox(self) -> dict[str, Inbox]:
        with self.database.read() as session:
            return {one.id: one for one in session.execute(select(Inbox)).scalars()}

    def outbox(self) -> dict[str, Outbox]:
        with self.database.read() as session:
            return {one.id: one for one in session.execute(select(Outbox)).scalars()}


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
