"""The ceiling for billing: KING's results booked by hand, in batches.

It validates a result, books it on its collection, brings the order to where it stands, and says
both. It has nothing of billing's rules: one success of an order that is signed and of nothing
else.
"""

import hashlib
import json
from datetime import datetime
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from shared.events import CollectionBooked, CollectionResult, CustomerReleased
from tests.benchmark.contenders.by_hand import Job, Loop
from tests.benchmark.contenders.same_work import OutgoingEvent

FIND = """
SELECT o.onboarding_id, o.reference, o.revision, o.amount_cents
FROM customer_order o WHERE o.reference = ANY(%s) ORDER BY o.onboarding_id FOR UPDATE
"""
FIND_COLLECTIONS = """
SELECT key, results FROM collection WHERE order_reference = ANY(%s) ORDER BY key FOR UPDATE
"""
FIND_MANDATES = """
SELECT m.key, m.refusals FROM mandate m JOIN customer_order o ON o.mandate_key = m.key
WHERE o.reference = ANY(%s) ORDER BY m.key FOR UPDATE OF m
"""
BOOK = """
UPDATE collection SET results = new.results, status = new.status, reason_code = NULL, held = 0
FROM unnest(%s::text[], %s::json[], %s::text[]) AS new (key, results, status)
WHERE collection.key = new.key
"""
STAND = """
UPDATE customer_order SET revision = new.revision, standing = 'released', stage = 'released'
FROM unnest(%s::text[], %s::int[]) AS new (onboarding_id, revision)
WHERE customer_order.onboarding_id = new.onboarding_id
"""


class Read(NamedTuple):
    """A result that was read and validated."""

    id: str
    subject: str
    digest: str
    result: CollectionResult


def read(body: bytes) -> Read:
    """Read and validate what KING reports."""
    document = json.loads(body)
    result = CollectionResult.model_validate(document["data"])
    digest = hashlib.sha256(body).hexdigest()
    return Read(document["id"], document["subject"], digest, result)


def book(cursor: Any, fresh: list[Read], now: datetime) -> list[OutgoingEvent]:
    """Lock what the batch is about, book each result, release each customer."""
    references = [one.result.order_reference for one in fresh]
    orders = {row[1]: row for row in cursor.execute(FIND, [references]).fetchall()}
    cursor.execute(FIND_MANDATES, [references]).fetchall()
    collections = dict(cursor.execute(FIND_COLLECTIONS, [references]).fetchall())
    booked, standing, said = [], [], []
    for one in fresh:
        onboarding_id, reference, revision, amount = orders[one.result.order_reference]
        result = one.result
        if (result.status, result.amount_cents) != ("succeeded", amount):
            raise ValueError("only the one success of each order is dealt with here")
        key = f"{reference}/{result.end_to_end_id}"
        facts = [*collections[key], result.model_dump(mode="json", exclude_none=True)]
        booked.append((key, json.dumps(facts), result.status))
        standing.append((onboarding_id, revision + 1))
        said += says(one, onboarding_id, revision + 1, now)
    cursor.execute(BOOK, [list(column) for column in zip(*booked, strict=True)])
    cursor.execute(STAND, [list(column) for column in zip(*standing, strict=True)])
    return said


def says(one: Read, onboarding_id: str, revision: int, now: datetime) -> list[OutgoingEvent]:
    """The two events that follow, in their envelopes."""
    result = one.result
    booked = CollectionBooked(
        order_reference=result.order_reference,
        end_to_end_id=result.end_to_end_id,
        attempt=result.attempt,
        status=result.status,
        reason_code=None,
        held=False,
        revision=revision,
    )
    released = CustomerReleased(order_reference=result.order_reference, revision=revision)
    return [sealed(event, one, onboarding_id, now) for event in (booked, released)]


def sealed(
    event: CollectionBooked | CustomerReleased, cause: Read, subject: str, now: datetime
) -> OutgoingEvent:
    """An event in its envelope."""
    said_id = str(uuid5(NAMESPACE_URL, f"{cause.id}/{event.event_type}"))
    document = {
        "specversion": "1.0",
        "id": said_id,
        "source": "/services/billing",
        "type": event.event_type,
        "subject": subject,
        "time": now.isoformat(),
        "datacontenttype": "application/json",
        "causationid": cause.id,
        "data": event.model_dump(mode="json", exclude_none=True),
    }
    return OutgoingEvent(said_id, event.event_type, subject, json.dumps(document).encode())


PAYMENTS = Job("billing", CollectionResult.event_type, read, book)


if __name__ == "__main__":
    Loop(PAYMENTS).connection.ioloop.start()
