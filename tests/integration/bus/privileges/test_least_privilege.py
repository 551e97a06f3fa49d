"""A broker with exactly the file of `stappenplan topology definitions`: who may do what in it."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import httpx
import pika  # noqa: TID251  A foreign client, to try what no service does.
import pytest
from pika.exceptions import ChannelClosedByBroker  # noqa: TID251

from infra.composition import KING, build_services
from shared.events import EVENTS
from shared.host.settings import Settings
from shared.messaging.bus import EXCHANGE, Outgoing, PublishResult
from shared.messaging.rabbitmq import RabbitBus
from shared.messaging.topology import ADMIN
from tests.integration.bus.privileges.conftest import imported
from tests.integration.bus.privileges.users import (
    OWN_EXCHANGES,
    QUEUES,
    USERS,
    WEBSITES,
    Broker,
)
from tests.servers.management import url_of_vhost
from tests.servers.rabbitmq import RabbitMQ


@pytest.fixture(scope="module")
def broker(rabbitmq: RabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One for all: whoever breaks it mends it."""
    name = rabbitmq.management.new_vhost()
    folder = tmp_path_factory.mktemp("least-privilege")
    with imported(rabbitmq, url_of_vhost(rabbitmq.url, name), folder) as broker:
        yield broker
    rabbitmq.management.delete_vhost(name)


def own_events(user: str) -> set[str]:
    if user in WEBSITES:
        return {"signup.submitted.v1"}
    if user == KING.name:
        return {"collection.result.v1"}
    (service,) = [each for each in build_services(Settings()) if each.name == user]
    return set(service.says)


def publishing(exchange: str, routing_key: str) -> Callable[[Any], object]:
    return lambda channel: channel.basic_publish(exchange, routing_key, b"{}")


def consuming(queue: str) -> Callable[[Any], object]:
    return lambda channel: channel.basic_consume(queue, lambda *_: None)


def declaring(what: str, own: str) -> Callable[[Any], object]:
    return lambda channel: DECLARATIONS[what](channel, own)


@pytest.mark.parametrize("user", USERS)
def test_each_says_its_own_events_and_no_other(broker: Broker, user: str) -> None:
    # When a user tries to say every event there is, and one that there is not,
    accepted = {
        name
        for name in (*EVENTS, "payroll.made.v1", "#")
        if not broker.refuses(user, publishing(OWN_EXCHANGES.get(user, EXCHANGE), name))
    }
    # Then the broker takes from it what it owns, and nothing else.
    assert accepted == own_events(user)
    assert accepted


@pytest.mark.parametrize("user", USERS)
def test_nobody_writes_past_their_own_exchange(broker: Broker, user: str) -> None:
    # When a user puts a message straight into a queue, or into an exchange of the broker's own,
    for exchange in ("", "amq.topic", "amq.direct", "amq.fanout", "amq.headers"):
        for queue in ("signup", "billing.dead"):
            # Then the broker refuses.
            assert broker.refuses(user, publishing(exchange, queue))
    # and so it does where another speaks, whatever is said there.
    own = OWN_EXCHANGES.get(user, EXCHANGE)
    for exchange in {EXCHANGE, *OWN_EXCHANGES.values()} - {own}:
        for event in (min(own_events(user)), "collection.requested.v1"):
            assert broker.refuses(user, publishing(exchange, event)), (exchange, event)


@pytest.mark.parametrize("user", USERS)
def test_each_reads_its_own_two_queues_and_no_other(broker: Broker, user: str) -> None:
    # When a user consumes from every queue there is,
    readable = {queue for queue in QUEUES if not broker.refuses(user, consuming(queue))}
    # Then the broker gives it its own, and the dead letters of these; a website has none.
    assert readable == ({user, f"{user}.dead"} if user not in WEBSITES else set())


DECLARATIONS: dict[str, Callable[[Any, str], object]] = {
    "a queue": lambda channel, _own: channel.queue_declare("mine", durable=True),
    "a queue with a name of the broker's": lambda channel, _own: channel.queue_declare(
        "", exclusive=True
    ),
    "an exchange": lambda channel, _own: channel.exchange_declare("mine", "topic"),
    "the exchange once more": lambda channel, _own: channel.exchange_declare(
        EXCHANGE, "topic", durable=True
    ),
    "a binding": lambda channel, own: channel.queue_bind(own, EXCHANGE, "customer.activated.v1"),
    "a binding to everything": lambda channel, own: channel.queue_bind(own, EXCHANGE, "#"),
    "no binding": lambda channel, own: channel.queue_unbind(own, EXCHANGE, "signup.submitted.v1"),
    "a binding between exchanges": lambda channel, _own: channel.exchange_bind(
        "amq.fanout", EXCHANGE, "#"
    ),
    "no queue": lambda channel, own: channel.queue_delete(own),
    "no exchange": lambda channel, _own: channel.exchange_delete(EXCHANGE),
}


@pytest.mark.parametrize("what", DECLARATIONS)
def test_nobody_but_the_administrator_makes_or_removes(
    rabbitmq: RabbitMQ, broker: Broker, what: str
) -> None:
    # When any user tries, on its own queue where there is one, Then the broker refuses.
    for user in USERS:
        own = "signup" if user in WEBSITES else user
        assert broker.refuses(user, declaring(what, own)), user
    # The administrator may.
    assert not broker.refuses(ADMIN, declaring(what, "signup"))
    rabbitmq.management.call("POST", "/definitions", broker.definitions)


@pytest.mark.parametrize("user", USERS)
def test_nobody_gives_himself_out_for_another(broker: Broker, user: str) -> None:
    # When a user publishes what it may, under another's name,
    event = min(own_events(user))
    connection = pika.BlockingConnection(pika.URLParameters(broker.url(user)))
    channel = connection.channel()
    channel.confirm_delivery()
    other = "website-0042" if user != "website-0042" else KING.name
    exchange = OWN_EXCHANGES.get(user, EXCHANGE)
    with pytest.raises(ChannelClosedByBroker) as refusal:
        channel.basic_publish(exchange, event, b"{}", pika.BasicProperties(user_id=other))
    # Then the broker refuses (406), before anybody hears it.
    assert refusal.value.reply_code == 406
    connection.close()


@pytest.mark.parametrize("user", USERS)
def test_nobody_but_the_administrator_sees_the_management(
    rabbitmq: RabbitMQ, broker: Broker, user: str
) -> None:
    def status(who: str) -> int:
        address = f"{rabbitmq.management.address}/api/overview"
        return httpx.get(address, auth=(who, broker.passwords[who])).status_code

    assert status(user) == 401
    assert status(ADMIN) == 200


def test_an_office_without_a_user_of_its_own_cannot_speak(broker: Broker) -> None:
    # Given the definitions for two offices, When a third one's website logs in,
    parts = urlsplit(broker.vhost)
    url = urlunsplit(
        parts._replace(netloc=f"website-0099:{'x' * 24}@{parts.hostname}:{parts.port}")
    )
    bus = RabbitBus(url, queue=None, name="website-0099")
    bus.open()
    # Then nothing that it says is taken.
    results = bus.publish([Outgoing(str(uuid4()), "signup.submitted.v1", b"{}")]).result(10)
    assert results == [PublishResult.UNKNOWN]
    bus.close()
