"""The ceiling: pika and psycopg, written by hand for one job, in batches.

It has an inbox and an outbox, confirms and acknowledgements, and nothing else: no retries, no
dead letters, no one-by-one after a failure, no other handlers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pika
import psycopg
from psycopg.types.array import ListBinaryDumper

from tests.benchmark.contenders.same_work import (
    BROKER_URL,
    CONCURRENCY,
    DATABASE_URL,
    EXCHANGE,
    QUEUE,
    STRUCTURED,
    OutgoingEvent,
    read,
    register_values,
    says,
)

BATCH = CONCURRENCY
LINGER = 0.003

CLAIM = """
INSERT INTO inbox (id, type, subject, digest, status, received_at, attempts)
SELECT id, %s, subject, digest, 'done', %s, 0
FROM unnest(%s::text[], %s::text[], %s::text[]) AS new (id, subject, digest)
ON CONFLICT DO NOTHING RETURNING id
"""
REGISTER = """
INSERT INTO registration (onboarding_id, office_code, accepted, heard_at, customer_number,
    administration_number, administration_name, status, decided_by, copied_from)
SELECT *, 'registered', 'policy', 'standard' FROM unnest(%s::text[], %s::text[], %s::json[],
    %s::timestamptz[], %s::text[], %s::text[], %s::text[])
"""
SAY = """
INSERT INTO outbox (id, type, subject, body, created_at, leased_until, attempts)
SELECT id, type, subject, body, %s, %s + interval '30 seconds', 0
FROM unnest(%s::text[], %s::text[], %s::text[], %s::bytea[]) AS new (id, type, subject, body)
"""
MARK = "UPDATE outbox SET published_at = %s WHERE id = ANY(%s)"


@dataclass(frozen=True)
class Job:
    """What the loop does: with which queue, how a message is read, and the work on a batch."""

    queue: str
    type: str
    read: Callable[[bytes], Any]
    work: Callable[[Any, list[Any], datetime], list[OutgoingEvent]]


def transact(database: Any, bodies: list[bytes], confirmed: list[str], job: Job) -> Any:
    """One transaction: claim, do the work, say what follows, mark what was confirmed."""
    now = datetime.now(UTC)
    events_read = {event.id: event for event in map(job.read, bodies)}
    ones = list(events_read.values())
    with database.transaction(), database.cursor() as cursor:
        ids, subjects, digests = zip(*((o.id, o.subject, o.digest) for o in ones), strict=True)
        cursor.execute(CLAIM, (job.type, now, list(ids), list(subjects), list(digests)))
        fresh = [events_read[row[0]] for row in cursor.fetchall()]
        said = job.work(cursor, fresh, now) if fresh else []
        if said:
            cursor.execute(SAY, (now, now, *(list(column) for column in zip(*said, strict=True))))
        cursor.execute(MARK, (now, confirmed))
    return said


def connect(address: str = DATABASE_URL) -> Any:
    """A line to the database on which a list becomes an array in binary form."""
    database = psycopg.connect(address)
    database.adapters.register_dumper(list, ListBinaryDumper)
    return database


def register(cursor: Any, fresh: list[Any], now: datetime) -> list[OutgoingEvent]:
    """Registration's work: a number and a row for each customer, and two events."""
    cursor.execute("SELECT nextval('bench_numbers') FROM generate_series(1, %s)", [len(fresh)])
    pairs = list(zip(fresh, (row[0] for row in cursor.fetchall()), strict=True))
    columns = zip(*(register_values(event, now, n) for event, n in pairs), strict=True)
    cursor.execute(REGISTER, [list(column) for column in columns])
    return [word for event, n in pairs for word in says(event, now, n)]


REGISTRATION = Job(QUEUE, "signup.accepted.v1", read, register)


class Loop:
    """One thread: collect a batch, one transaction, publish, acknowledge."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.database = connect()
        self.batch: list[tuple[int, bytes]] = []
        self.sent: dict[int, str] = {}
        self.confirmed: list[str] = []
        self.sequence = 0
        self.timer: Any = None
        self.connection = pika.SelectConnection(
            pika.URLParameters(BROKER_URL), on_open_callback=self.opened
        )

    def opened(self, connection: Any) -> None:
        connection.channel(on_open_callback=self.ready)

    def ready(self, channel: Any) -> None:
        self.channel = channel
        channel.confirm_delivery(self.confirm)
        channel.add_on_return_callback(self.unroutable)
        channel.basic_qos(prefetch_count=2 * BATCH)
        channel.basic_consume(self.job.queue, self.arrived)

    def arrived(self, _channel: Any, method: Any, _properties: Any, body: bytes) -> None:
        self.batch.append((method.delivery_tag, body))
        if len(self.batch) >= BATCH:
            self.process()
        elif self.timer is None:
            self.timer = self.connection.ioloop.call_later(LINGER, self.process)

    def process(self) -> None:
        if self.timer is not None:
            self.connection.ioloop.remove_timeout(self.timer)
            self.timer = None
        batch, self.batch = self.batch, []
        if not batch:
            return
        confirmed, self.confirmed = self.confirmed, []
        said = transact(self.database, [body for _, body in batch], confirmed, self.job)
        for word in said:
            self.sequence += 1
            self.sent[self.sequence] = word.id
            properties = pika.BasicProperties(
                content_type=STRUCTURED, message_id=word.id, delivery_mode=2, type=word.type
            )
            self.channel.basic_publish(EXCHANGE, word.type, word.body, properties, mandatory=True)
        self.channel.basic_ack(batch[-1][0], multiple=True)

    def unroutable(self, _channel: Any, _method: Any, properties: Any, _body: bytes) -> None:
        """The broker would confirm it all the same."""
        raise ValueError(f"nobody hears of {properties.message_id}")

    def confirm(self, frame: Any) -> None:
        tag, multiple = frame.method.delivery_tag, frame.method.multiple
        if not multiple:
            self.confirmed.append(self.sent.pop(tag))
            return
        for number in [number for number in self.sent if number <= tag]:
            self.confirmed.append(self.sent.pop(number))


if __name__ == "__main__":
    Loop(REGISTRATION).connection.ioloop.start()
