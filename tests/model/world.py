"""The model's world: website, broker, two processes of the teller, one of the hearer, people."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from unittest.mock import patch

from sqlalchemy import delete, select
from sqlmodel import col

from infra.operations.dead_letters import decisions
from infra.operations.replay import archive as replays
from shared.events import CustomerReleased
from shared.host.settings import Settings
from shared.messaging.bus import Incoming, Outgoing
from shared.persistence.clock import Machine
from shared.processing import Person
from shared.processing.resolutions import NotDeadLettered
from shared.processing.store import retention
from shared.processing.store.tables import DONE, Inbox, Outbox
from tests.model.books import Books, read
from tests.model.broker import Broker, Line, Publication, Straight, identity, reference_of
from tests.model.chain import (
    HEARER,
    SERVICES,
    START,
    TELLER,
    Customer,
    Moods,
    Remind,
    build,
    release,
)
from tests.model.ground import Ground
from tests.model.process import Ends, Process

OUTBOX_KEPT = timedelta(days=7)
INBOX_KEPT = timedelta(days=30)
LONGEST_WRONG = timedelta(hours=7)
THREE_WEEKS = timedelta(days=21)
"""As the product promises them (ARCHITECTURE.md)."""


class World:
    """Everything there is, and what may happen in it."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        ground.clear()
        self.databases = ground.databases
        self.now = START
        self.wrong = timedelta()
        """How far the clock by which all services go is ahead of the time."""
        self.broker = Broker()
        self.moods = {name: Moods() for name in SERVICES}
        self.ends = {name: Ends() for name in SERVICES}
        self.processes = [self._process(name) for name in (TELLER, TELLER, HEARER)]
        self.submitted: list[str] = []
        self.dropped: set[tuple[str, str]] = set()
        self.told: set[str] = set()
        """The references of all facts that ever had their effect on the teller."""
        self.forgotten: dict[str, set[str]] = {name: set() for name in SERVICES}
        """The ids of the messages that each inbox has forgotten, as it should after a month."""
        self.no_longer_kept: set[str] = set()
        """The references of the words that the outbox has forgotten, as it should after a week."""
        self.reminders_forgotten: set[tuple[str, datetime]] = set()
        """Which customers' reminders the inbox has forgotten: each may be asked for once more."""
        self.came: dict[tuple[str, str], datetime] = {}
        """When each message came to each service for the first time."""
        self.wrongs: list[str] = []
        for process in self.processes:
            process.clean()  # As each does when it starts.
        self.look()

    def _process(self, name: str) -> Process:
        moods = self.moods[name]
        line = partial(self._line, name)
        machine = Machine(
            now=lambda: self.now + self.wrong,
            seconds=lambda: (self.now - START).total_seconds(),  # noqa: PLW0108 - later, too.
        )
        return Process(name, self._ground, machine, moods, line, self.ends[name])

    def _line(self, name: str) -> Line:
        return Line(self.broker, name, lambda message_id: self._is_committed(name, message_id))

    # What the books say.

    def _is_committed(self, name: str, message_id: str) -> bool:
        with self.databases[name].read() as session:
            return session.get(Outbox, message_id) is not None

    def process(self, which: int) -> Process:
        """One of the processes."""
        return self.processes[which % len(self.processes)]

    @property
    def delivering(self) -> list[Process]:
        """The processes for which there is something in a queue."""
        return [process for process in self.processes if self.broker.queues[process.name]]

    def on_the_wire(self) -> list[tuple[Process, Publication]]:
        """What was published and has no answer yet."""
        return [(process, wire) for process in self.processes for wire in process.line.on_the_wire]

    def look(self) -> dict[str, Books]:
        """Read what both services have now."""
        for name in SERVICES:
            for message_id in self.broker.arrived[name]:
                self.came.setdefault((name, message_id), self.now)
        self.seen = {name: read(database) for name, database in self.databases.items()}
        return self.seen

    @property
    def letters(self) -> list[tuple[str, str]]:
        """The dead letters of both services, as last seen."""
        return [
            (name, message_id) for name, books in self.seen.items() for message_id in books.dead
        ]

    def recent(self, name: str) -> list[Incoming]:
        """The messages that may still come to a service once more.

        None is older than three weeks: no queue and no outbox keeps one for so long, and a month
        is what the inbox remembers.
        """
        arrived = self.broker.arrived[name].items()
        return [
            message for key, message in arrived if self.now - self.came[name, key] < THREE_WEEKS
        ]

    # What may happen.

    def submit(self, mood: str) -> None:
        """The website publishes a release; the broker has confirmed it."""
        reference, message_id, body = release(len(self.submitted))
        self.submitted.append(reference)
        self.moods[TELLER].by_reference[reference] = mood
        self.broker.route(Outgoing(message_id, CustomerReleased.event_type, body))

    def take(self, process: Process, count: int, *, backwards: bool = False) -> list[Incoming]:
        """The broker chooses what it delivers next."""
        queue = self.broker.queues[process.name]
        taken, queue[:] = queue[:count], queue[count:]
        return taken[::-1] if backwards else taken

    def duplicate(self, which: int, *, redelivered: bool) -> None:
        """A message that came before comes again: the broker, or its publisher, sent it twice."""
        known = [(name, message_id) for name in SERVICES for message_id in self.recent(name)]
        if known:
            name, message = known[which % len(known)]
            self.broker.queues[name].append(replace(message, redelivered=redelivered))

    def give_up(self, which: int) -> None:
        """The broker has delivered what waits too often, and hands it over as dead."""
        queues = [queue for queue in self.broker.queues.values() if queue]
        if queues:
            queue = queues[which % len(queues)]
            place = which % len(queue)
            queue[place] = replace(queue[place], dead_lettered="it was delivered again and again")

    def forget(self, which: int) -> None:
        """The teller's database comes back from a backup of before one message.

        The message is brought again, as whoever restores a backup has to see to.
        """
        if not (known := self.recent(TELLER)):
            return
        message = known[which % len(known)]
        reference, message_id = reference_of(message), identity(message)
        with self.databases[TELLER].begin() as session:
            session.execute(delete(Inbox).where(col(Inbox.id) == message_id))
            for row in session.execute(select(Outbox)).scalars():
                if json.loads(row.body)["causationid"] == message_id:
                    session.delete(row)
            for customer in session.execute(select(Customer)).scalars():
                words = customer.effects.split()
                customer.effects = "".join(f"{word} " for word in words if word != reference)
        self.broker.put(TELLER, message)

    def note_what_may_go(self, process: Process) -> None:
        """Retention is about to remove what is old enough, and may remove nothing else."""
        books = read(self.databases[process.name])
        # What a clock that is ahead adds until it is set right, at the speed of `retention`.
        ahead = retention.LONGEST_STEP * retention.SPEED if self.wrong else timedelta()
        now = self.now + ahead
        for word in books.outbox.values():
            if word.published_at and word.published_at < now - OUTBOX_KEPT:
                self.no_longer_kept.add(json.loads(word.body)["data"]["login_name"])
        for seen in books.inbox.values():
            if seen.status == DONE and seen.received_at < now - INBOX_KEPT:
                self.forgotten[process.name].add(seen.id)
                if seen.type == Remind.command_type:
                    self.reminders_forgotten.add((seen.subject, seen.received_at))

    def retry(self, name: str, letter_id: str) -> bool:
        """A person retries a dead letter, and another does so at the same moment."""
        process = next(process for process in self.processes if process.name == name)
        decoder = process.runtime.engine.decoder
        won = 0
        for person in ("anna", "bram"):
            try:
                decisions.retry(
                    self.databases[name],
                    decoder,
                    letter_id,
                    by=Person(person),
                    why="it is mended",
                    at=self.now,
                )
                won += 1
            except NotDeadLettered:
                continue
        if won > 1:
            self.wrongs.append(f"two people won: both retried {letter_id} at {name}")
        return won > 0

    def drop(self, name: str, letter_id: str) -> None:
        """A person lets a dead letter rest."""
        by = Person("anna")
        decisions.drop(self.databases[name], letter_id, by=by, why="it was a test", at=self.now)
        self.dropped.add((name, letter_id))

    def replay(self) -> None:
        """A person has the hearer's queue served again with all that was published for it."""
        line = Straight(self.broker, HEARER, lambda _: True)
        settings = self._ground.settings
        with (
            patch.object(replays, "BusFactory", lambda _settings: _Lines(line)),
            patch.object(replays, "database_addresses", _addresses),
            patch.object(replays, "build_service", lambda name, _: build(name, Moods())),
            patch.object(replays, "database_now", lambda _database: self.now),
            replays.Archive(settings, HEARER, START - timedelta(days=1)) as archive,
        ):
            for _ in replays.send_again(settings, HEARER, archive):
                pass

    # Time.

    def pass_time(self, lasts: timedelta) -> None:
        """Time goes by; a clock that is wrong is set right before long."""
        self.now += lasts
        if lasts >= LONGEST_WRONG:
            self.wrong = timedelta()


def _addresses(settings: Settings) -> dict[str, str]:
    return {name: settings.database_url_of(name) for name in SERVICES}


class _Lines:
    """What a replay asks for its line; see `infra.run.runtimes.BusFactory`."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def bus(self, _name: str, *, consume: bool) -> Line:
        assert not consume
        return self._line
