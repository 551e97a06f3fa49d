"""An outside user who tries everything that AMQP knows to reach a queue that is not theirs.

On a broker with exactly the file of `stappenplan topology definitions`.
"""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pika  # noqa: TID251  A foreign client, to try what no service does.
import pytest
from pika.exceptions import ChannelClosedByBroker, UnroutableError  # noqa: TID251

from infra.composition import KING
from infra.demo.simulators.king import KingBilling
from shared.events import EVENTS, CollectionRequested
from shared.messaging.bus import EXCHANGE
from shared.messaging.rabbitmq import RabbitBus
from shared.messaging.topology import ADMIN, own_exchange
from tests.integration.bus.privileges.users import OWN_EXCHANGES, QUEUES, Broker
from tests.servers.premises import wait_until

OUTSIDERS = tuple(OWN_EXCHANGES)
HEARD_BY = {"signup.submitted.v1": "signup", "collection.result.v1": "billing"}
"""Who hears what outsiders own."""

EVERY_KEY = [*EVENTS, *QUEUES, "#"]
HEADERS: dict[str, dict[str, Any]] = {
    "plain": {},
    "CC": {"CC": EVERY_KEY},
    "BCC": {"BCC": EVERY_KEY},
    "CC and BCC": {"CC": EVERY_KEY, "BCC": EVERY_KEY},
}
PROPERTIES: dict[str, dict[str, str]] = {
    "nobody's name": {},
    "billing's name": {"user_id": "billing"},
    "the administrator's name": {"user_id": ADMIN},
}
EXCHANGES = (
    "", EXCHANGE, *OWN_EXCHANGES.values(),
    "amq.topic", "amq.direct", "amq.fanout", "amq.headers", "amq.match",
)  # fmt: skip
FORGED = {
    "specversion": "1.0",
    "source": "/services/billing",
    "type": "collection.requested.v1",
    "time": "2026-11-24T09:00:00Z",
    "data": {
        "order_reference": "O-2026-000001",
        "mandate": {
            "reference": "M-2026-000001",
            "scheme": "CORE",
            "signed_on": "2026-11-24",
            "creditor_id": "NL69ZZZ123456780000",
            "iban": "NL91ABNA0417164300",
            "account_holder": "Somebody else",
        },
        "end_to_end_id": "O-2026-000001-1",
        "attempt": 1,
        "amount_cents": 12100,
        "currency": "EUR",
        "collect_on": "2026-12-08",
    },
}


@pytest.fixture
def administrator(broker: Broker) -> Iterator[Any]:
    """A channel for whoever looks after the broker."""
    connection = pika.BlockingConnection(pika.URLParameters(broker.url(ADMIN)))
    yield connection.channel()
    connection.close()


def attack(broker: Broker, user: str, exchange: str, key: str, how: pika.BasicProperties) -> bool:
    """Publish as this user; whether the broker took it and somebody has it."""
    connection = pika.BlockingConnection(pika.URLParameters(broker.url(user)))
    channel = connection.channel()
    channel.confirm_delivery()
    event = FORGED | {"id": str(uuid4()), "subject": str(uuid4())}
    try:
        channel.basic_publish(exchange, key, json.dumps(event).encode(), how, mandatory=True)
    except (ChannelClosedByBroker, UnroutableError):
        return False
    finally:
        connection.close()
    return True


def filled(administrator: Any) -> dict[str, int]:
    """How much waits in each queue in which something waits."""
    counts = {
        queue: administrator.queue_declare(queue, passive=True).method.message_count
        for queue in QUEUES
    }
    return {queue: count for queue, count in counts.items() if count}


@pytest.mark.parametrize("user", OUTSIDERS)
def test_an_outsider_reaches_the_queue_that_hears_them_and_no_other(
    broker: Broker, administrator: Any, user: str
) -> None:
    # Given a user from outside, who writes to every exchange there is, under every key,
    taken = []
    for exchange in EXCHANGES:
        for key in ("signup.submitted.v1", "collection.result.v1", "collection.requested.v1"):
            # When they add every other key in CC, BCC or both, and say they are somebody else,
            for name, headers in HEADERS.items():
                for whose, properties in PROPERTIES.items():
                    how = pika.BasicProperties(headers=headers, **properties)
                    if attack(broker, user, exchange, key, how):
                        taken.append((exchange, key, name, whose))
    # Then nothing is taken but by their own exchange, and under nobody else's name,
    assert {(exchange, whose) for exchange, _, _, whose in taken} == {
        (OWN_EXCHANGES[user], "nobody's name")
    }
    # and nothing has come to any queue but that of the service that hears them.
    own = {HEARD_BY[key] for _, key, _, _ in taken if key in HEARD_BY}
    assert len(own) == 1
    assert filled(administrator).keys() == own


@pytest.mark.parametrize("user", [user for user in OUTSIDERS if user != KING.name])
def test_king_collects_nothing_that_a_website_asked_for(
    broker: Broker, administrator: Any, user: str
) -> None:
    # Given KING at its queue,
    bus = RabbitBus(
        broker.url(KING.name), queue=KING.name, name=KING.name, exchange=own_exchange(KING.name)
    )
    king = KingBilling(bus, strict=True)
    king.start()
    wait_until(bus.healthy, "KING listens", 10)
    # When a website asks for a collection from another's account, by every exchange and header,
    for exchange in EXCHANGES:
        for headers in HEADERS.values():
            how = pika.BasicProperties(headers=headers, content_type="application/cloudevents+json")
            attack(broker, user, exchange, "signup.submitted.v1", how)
    # and billing asks for one after it,
    _ask_as_billing(broker)
    wait_until(lambda: len(king.requests) > 0, "KING has got billing's request", 20)
    king.stop()
    # Then KING has billing's alone, and nothing else has come to it.
    assert (len(king.requests), king.refusals) == (1, [])


def test_even_a_forgery_that_reached_the_queue_of_king_is_not_collected(
    broker: Broker, administrator: Any
) -> None:
    # Given that forgeries stand in KING's queue, as an earlier version let them come there,
    body = json.dumps(FORGED | {"id": str(uuid4()), "subject": str(uuid4())}).encode()
    administrator.queue_bind(KING.name, own_exchange(KING.name), "collection.result.v1")
    administrator.queue_bind(KING.name, EXCHANGE, "customer.released.v1")
    say(broker, KING.name, own_exchange(KING.name), "collection.result.v1", body)
    say(broker, "billing", EXCHANGE, "customer.released.v1", body, user_id="billing")
    say(broker, "billing", EXCHANGE, CollectionRequested.event_type, body)
    administrator.basic_publish("", KING.name, body)
    administrator.queue_unbind(KING.name, own_exchange(KING.name), "collection.result.v1")
    # When KING reads them, and a true request after them,
    _ask_as_billing(broker)
    bus = RabbitBus(
        broker.url(KING.name), queue=KING.name, name=KING.name, exchange=own_exchange(KING.name)
    )
    king = KingBilling(bus, strict=True)
    king.start()
    wait_until(lambda: len(king.requests) > 0, "KING has got billing's request", 20)
    wait_until(lambda: len(king.refusals) == 4, "KING has refused the others", 20)
    king.stop()
    # Then it collects what billing asked for alone, and says why not the others.
    assert len(king.requests) == 1
    assert sorted(king.refusals) == [
        "it came by the exchange '', and not by stappenplan.events",
        "it came by the exchange 'stappenplan.king-billing', and not by stappenplan.events",
        "it says collection.requested.v1, and came by the routing key 'customer.released.v1'",
        "it was published by user nobody, and not by billing",
    ]


def say(
    broker: Broker, user: str, exchange: str, key: str, body: bytes, user_id: str | None = None
) -> None:
    """Publish as this user what it may say."""
    connection = pika.BlockingConnection(pika.URLParameters(broker.url(user)))
    channel = connection.channel()
    channel.confirm_delivery()
    how = pika.BasicProperties(user_id=user_id, content_type="application/cloudevents+json")
    channel.basic_publish(exchange, key, body, how, mandatory=True)
    connection.close()


def _ask_as_billing(broker: Broker) -> None:
    body = json.dumps(FORGED | {"id": str(uuid4()), "subject": str(uuid4())}).encode()
    say(broker, "billing", EXCHANGE, CollectionRequested.event_type, body, user_id="billing")
