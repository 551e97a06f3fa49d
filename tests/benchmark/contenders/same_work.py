"""The work that all share: read, validate, claim, write the business row, say what follows."""

import hashlib
import json
import os
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from shared.events.registration import AdministrationCreated, RegistrationCompleted
from shared.events.signup import SignupAccepted

BROKER_URL = os.environ.get("BENCH_BROKER_URL", "")
DATABASE_URL = os.environ.get("BENCH_DATABASE_URL", "")
CONCURRENCY = int(os.environ.get("BENCH_CONCURRENCY", "1"))
EXCHANGE = "stappenplan.events"
QUEUE = "registration"
STRUCTURED = "application/cloudevents+json"

CLAIM = """
INSERT INTO inbox (id, type, subject, digest, status, received_at, attempts)
VALUES (%s, %s, %s, %s, 'done', %s, 0) ON CONFLICT DO NOTHING RETURNING id
"""
NUMBER = """
INSERT INTO number_series (name, last) VALUES (%s, 1)
ON CONFLICT (name) DO UPDATE SET last = number_series.last + 1 RETURNING last
"""
REGISTER = """
INSERT INTO registration (onboarding_id, status, office_code, accepted, heard_at, decided_by,
    customer_number, administration_number, administration_name, copied_from)
VALUES (%s, 'registered', %s, %s, %s, 'policy', %s, %s, %s, 'standard')
"""


class Read(NamedTuple):
    """An event that was read and validated."""

    id: str
    subject: str
    digest: str
    event: SignupAccepted
    kept: str


class OutgoingEvent(NamedTuple):
    """An event to publish."""

    id: str
    type: str
    subject: str
    body: bytes


def read(body: bytes) -> Read:
    """Read and validate an accepted sign-up."""
    document = json.loads(body)
    event = SignupAccepted.model_validate(document["data"])
    digest = hashlib.sha256(body).hexdigest()
    kept = event.model_dump_json(exclude_none=True)
    return Read(document["id"], document["subject"], digest, event, kept)


def claim_values(message: Read, now: datetime) -> tuple[Any, ...]:
    """What `CLAIM` wants."""
    return (message.id, "signup.accepted.v1", message.subject, message.digest, now)


def register_values(message: Read, now: datetime, number: int) -> tuple[Any, ...]:
    """What `REGISTER` wants."""
    event = message.event
    return (
        message.subject,
        event.office.code,
        message.kept,
        now,
        f"K-{number}",
        f"A-{number}",
        event.customer.company,
    )


def says(message: Read, now: datetime, number: int) -> list[OutgoingEvent]:
    """The two events that follow, in their envelopes."""
    event = message.event
    completed = RegistrationCompleted(
        customer_number=f"K-{number}",
        office=event.office,
        customer=event.customer,
        package=event.package,
        payer=event.payer,
    )
    created = AdministrationCreated(
        administration_number=f"A-{number}",
        name=event.customer.company,
        copied_from="standard",
        access_granted=True,
    )
    return [_sealed(completed, message, now), _sealed(created, message, now)]


def _sealed(
    event: RegistrationCompleted | AdministrationCreated, cause: Read, now: datetime
) -> OutgoingEvent:
    said_id = str(uuid5(NAMESPACE_URL, f"{cause.id}/{event.event_type}"))
    document = {
        "specversion": "1.0",
        "id": said_id,
        "source": "/services/registration",
        "type": event.event_type,
        "subject": cause.subject,
        "time": now.isoformat(),
        "datacontenttype": "application/json",
        "causationid": cause.id,
        "data": event.model_dump(mode="json", exclude_none=True),
    }
    return OutgoingEvent(said_id, event.event_type, cause.subject, json.dumps(document).encode())


def handle(cursor: Any, body: bytes) -> list[OutgoingEvent]:
    """One message in one transaction of psycopg's; nothing when it was seen before."""
    message, now = read(body), datetime.now(UTC)
    if cursor.execute(CLAIM, claim_values(message, now)).fetchone() is None:
        return []
    number = cursor.execute("SELECT nextval('bench_numbers')").fetchone()[0]
    cursor.execute(REGISTER, register_values(message, now, number))
    return says(message, now, number)
