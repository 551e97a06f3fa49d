"""What follows money: activation hears of it, and staff activate some of those who paid."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg

from infra.composition import build_service
from shared.host.settings import Settings
from shared.messaging.bus import Outgoing, PublishResult
from shared.messaging.rabbitmq import RabbitBus
from shared.persistence.database import Database
from shared.persistence.schema import upgrade
from tests.benchmark.arena import LISTENER, Arena, contender
from tests.benchmark.http_client import Pace, measure, request
from tests.benchmark.paying_customers import libpq
from tests.benchmark.roster import ROOT, Contender
from tests.scopes import token_for
from tests.servers.postgres import Databases
from tests.servers.premises import free_ports, wait_until

GOLDEN = ROOT / "tests" / "contract" / "golden"
FOLLOW = 2
"""Upon each result billing says that it is booked, and that the customer is released."""
ACTIVATED = 200
STAFF = 4
"""So many of those who paid are activated, by so many at a time."""
PATIENCE = 100
WAY = (
    "signup.accepted.v1",
    "registration.completed.v1",
    "administration.created.v1",
    "order.confirmation_sent.v1",
    "order.confirmation_signed.v1",
)
"""What else has happened to a customer who may be activated: the other services say it."""


@dataclass(frozen=True)
class Activated:
    """Of how many customers a second activation hears that they paid; how some are activated."""

    heard_per_second: float
    pace: Pace


def running(service: str) -> list[str]:
    """How one of our services is started."""
    return [*Contender("", "", 0).command()[:-1], service]


def hear_and_activate(
    place: Arena, databases: Databases, customers: Sequence[tuple[str, str]]
) -> Activated:
    """Have activation hear what was said of these, by id and order, and activate some of them."""
    url = databases.make(LISTENER, _schema)
    (port,) = free_ports(1)
    try:
        there = Arena(place.broker_url, url, place.folder, time.time())
        extra = Contender("", "", 0).environment(1) | {"STAPPENPLAN_HTTP_PORT": str(port)}
        with contender(running(LISTENER), there, extra):
            expected = len(customers) * FOLLOW
            wait_until(
                lambda: there.rows("inbox", "received_at") == expected, "it is heard", PATIENCE
            )
            heard = len(customers) / (time.time() - there.started())
            return Activated(heard, _activate(there, port, customers[:ACTIVATED]))
    finally:
        databases.drop(url)


def _schema(url: str) -> None:
    database = Database(url)
    upgrade(database, build_service(LISTENER, Settings()).migrations)
    database.close()


def _activate(place: Arena, port: int, customers: Sequence[tuple[str, str]]) -> Pace:
    """Staff activate each of them, once all may be and no mail about that is left to send."""
    token = token_for(Settings(data_dir=place.folder).signing_key(), "users:activate")
    _say_the_rest(place, customers)
    ids = {onboarding_id for onboarding_id, _ in customers}
    wait_until(lambda: ids <= _ready(port, token), "all may be activated", PATIENCE)
    wait_until(lambda: _at_rest(place), "all mails are sent", PATIENCE)
    body = json.dumps({"channel": "email"}).encode()
    calls = [request("POST", f"/api/activations/{one}", body, token) for one, _ in customers]
    return measure(port, calls, STAFF, 202)


def _say_the_rest(place: Arena, customers: Sequence[tuple[str, str]]) -> None:
    bus = RabbitBus(place.broker_url, queue=None, name="load")
    bus.open()
    said = [_happened(kind, *customer) for customer in customers for kind in WAY]
    assert set(bus.publish(said).result(60)) == {PublishResult.CONFIRMED}
    bus.close()


def _happened(event_type: str, onboarding_id: str, order: str) -> Outgoing:
    """The contract's example of this event, about this customer."""
    document: dict[str, Any] = json.loads(Path(GOLDEN / f"{event_type}.json").read_bytes())
    document |= {
        "id": str(uuid4()),
        "subject": onboarding_id,
        "time": f"{datetime.now(UTC):%FT%TZ}",
    }
    if "order_reference" in document["data"]:
        document["data"]["order_reference"] = order
    body = json.dumps(document).encode()
    return Outgoing(document["id"], event_type, body, queue=LISTENER)


def _ready(port: int, token: str) -> set[str]:
    url = f"http://127.0.0.1:{port}/api/activations?status=ready&limit=500"
    answer = httpx.get(url, headers={"Authorization": f"Bearer {token}"})
    return {row["onboarding_id"] for row in answer.raise_for_status().json()}


def _at_rest(place: Arena) -> bool:
    with psycopg.connect(libpq(place.database_url)) as line:
        query = "SELECT NOT EXISTS (SELECT 1 FROM notification WHERE status <> 'sent')"
        return bool((line.execute(query).fetchone() or [False])[0])
