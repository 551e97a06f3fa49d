"""The ceiling for billing: KING's results booked by hand, in batches.

It validates a result that KING says, books it on its collection unless it is there already, brings
the order to where it stands, and says both. Of billing's rules it has those without which nobody
may be released: the confirmation is signed, the customer has not left, the full amount is there.
It stops at everything else.
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
SELECT o.onboarding_id, o.reference, o.revision, o.amount_cents, o.currency,
    o.signed_on IS NOT NULL AND NOT o.withdrawn
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


KING = "/king-billing"


class Read(NamedTuple):
    """A result that was read and validated."""

    id: str
    subject: str
    digest: str
    result: CollectionResult


def read(body: bytes) -> Read:
    """Read and validate what KING reports."""
    document = json.loads(body)
    if (document["source"], document["type"]) != (KING, CollectionResult.event_type):
        raise ValueError("only KING says what became of a collection")
    result = CollectionResult.model_validate(document["data"])
    digest = hashlib.sha256(body).hexdigest()
    return Read(document["id"], document["subject"], digest, result)


def book(cursor: Any, fresh: list[Read], now: datetime) -> list[OutgoingEvent]:
    """Lock what the batch is about, book each result, release each customer."""
    references = [one.result.order_reference for one in fresh]
    orders = {row[1]: list(row) for row in cursor.execute(FIND, [references]).fetchall()}
    cursor.execute(FIND_MANDATES, [references]).fetchall()
    collections = dict(cursor.execute(FIND_COLLECTIONS, [references]).fetchall())
    booked, standing, said = {}, {}, []
    for one in fresh:
        result, order = one.result, orders[one.result.order_reference]
        onboarding_id, reference, revision, amount, currency, may_be_released = order
        told = result.status, result.amount_cents, result.currency
        if not may_be_released or told != ("succeeded", amount, currency):
            raise ValueError("only the full amount of a signed order is dealt with here")
        key = f"{reference}/{result.end_to_end_id}"
        fact = result.model_dump(mode="json", exclude_none=True)
        if fact in collections[key]:
            continue  # The very same was booked before.
        collections[key].append(fact)
        order[2] = standing[onboarding_id] = revision + 1
        booked[key] = result.status
        said += says(one, onboarding_id, revision + 1, now)
    facts = [json.dumps(collections[key]) for key in booked]
    cursor.execute(BOOK, [list(booked), facts, list(booked.values())])
    cursor.execute(STAND, [list(standing), list(standing.values())])
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
