"""The definitions that RabbitMQ imports: the topology, and who may do what in it."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import quote, urlsplit, urlunsplit

import pika  # noqa: TID251  A foreign client, to try what no service does.
import pytest
from pika.exceptions import (  # noqa: TID251
    ChannelClosedByBroker,
    ProbableAuthenticationError,
)

from shared.messaging.bus import EXCHANGE, BusDown, PublishResult
from shared.messaging.rabbitmq import RabbitBus
from shared.messaging.topology import Listener, Topology, definitions, website_exchange
from shared.messaging.topology.declare import TopologyConflict, apply, missing
from tests.integration.bus.buses import (
    ACCEPTED,
    SUBMITTED,
    TOPOLOGY,
    RabbitBuses,
    bodies,
    collect,
    message,
)
from tests.servers.premises import free_ports, wait_until
from tests.servers.rabbitmq import RabbitMQ

SOON = 5.0


@dataclass
class House:
    """A broker that has imported the definitions, and the address of each of its users."""

    vhost: str
    suffix: str
    passwords: dict[str, str]

    def url(self, user: str, password: str | None = None) -> str:
        password = self.passwords[user] if password is None else password
        parts = urlsplit(self.vhost)
        netloc = f"{user}:{quote(password, safe='')}@{parts.hostname}:{parts.port}"
        return urlunsplit(parts._replace(netloc=netloc))

    def name(self, who: str) -> str:
        return f"{who}-{self.suffix}"

    def website(self) -> RabbitBus:
        """The line of the office's website."""
        exchange = website_exchange(self.suffix)
        url = self.url(self.name("website"))
        return RabbitBus(url, queue=None, name="website", exchange=exchange)


@pytest.fixture
def house(rabbitmq: RabbitMQ, vhost: str) -> Iterator[House]:
    """Users belong to the whole broker: here they have names of their own, and go afterwards."""
    suffix = secrets.token_hex(3)
    topology = Topology(
        (
            Listener(f"signup-{suffix}", hears=(SUBMITTED,), says=(ACCEPTED,)),
            Listener(f"registration-{suffix}", hears=(ACCEPTED,), says=()),
        ),
        website_says=(SUBMITTED,),
    )
    file = definitions(topology, [suffix], vhost=urlsplit(vhost).path.removeprefix("/"))
    document = file.document
    document["users"] = [user for user in document["users"] if user["name"] != "admin"]
    for kind in ("permissions", "topic_permissions"):
        document[kind] = [row for row in document[kind] if row["user"] != "admin"]
    rabbitmq.management.call("POST", "/definitions", document)
    yield House(vhost, suffix, file.passwords)
    for user in document["users"]:
        rabbitmq.management.call("DELETE", f"/users/{user['name']}")


def test_the_imported_definitions_carry_an_event_from_a_website_to_its_service(
    house: House,
) -> None:
    # Given a broker that has imported the definitions
    signup = RabbitBus(house.url(house.name("signup")), queue=house.name("signup"), name="signup")
    website = house.website()
    signup.open()
    website.open()
    # When a website, under its own name, says what it may say
    results = website.publish([message("hello")]).result(SOON)
    # Then the service gets it, and the broker vouches for the website's name
    assert results == [PublishResult.CONFIRMED]
    (incoming,) = collect(signup, 1)
    assert incoming.user_id == house.name("website")
    signup.close()
    website.close()


def test_nobody_can_say_what_is_not_theirs_to_say(house: House) -> None:
    # Given a website
    website = house.website()
    website.open()
    # When it says what only signup may say
    results = website.publish([message(type=ACCEPTED)]).result(SOON)
    # Then the broker does not take it
    assert results == [PublishResult.UNKNOWN]
    registration = house.name("registration")
    listener = RabbitBus(house.url(registration), queue=registration, name="registration")
    listener.open()
    assert listener.receive(1, wait=0.5, linger=0) == []
    website.close()
    listener.close()


def test_nobody_can_read_another_queue(house: House) -> None:
    # Given registration's login
    channel = pika.BlockingConnection(
        pika.URLParameters(house.url(house.name("registration")))
    ).channel()
    # When it reads signup's queue
    with pytest.raises(ChannelClosedByBroker) as refusal:
        channel.basic_get(house.name("signup"))
    # Then the broker refuses
    assert refusal.value.reply_code == 403
    channel.connection.close()


@pytest.mark.parametrize("who", ["signup", "registration", "website"])
def test_nobody_but_the_administrator_can_declare_anything(house: House, who: str) -> None:
    # Given somebody's login
    channel = pika.BlockingConnection(pika.URLParameters(house.url(house.name(who)))).channel()
    # When they declare a queue
    with pytest.raises(ChannelClosedByBroker) as refusal:
        channel.queue_declare("mine", durable=True)
    # Then the broker refuses
    assert refusal.value.reply_code == 403
    channel.connection.close()


def test_a_password_opens_no_other_door(house: House) -> None:
    # When somebody logs in as signup with registration's password
    url = house.url(house.name("signup"), house.passwords[house.name("registration")])
    # Then the broker refuses
    with pytest.raises(ProbableAuthenticationError):
        pika.BlockingConnection(pika.URLParameters(url))


def test_the_file_and_the_command_declare_the_same_topology(vhost: str, house: House) -> None:
    # Given a broker that has imported the definitions
    topology = Topology(
        (
            Listener(house.name("signup"), hears=(SUBMITTED,), says=(ACCEPTED,)),
            Listener(house.name("registration"), hears=(ACCEPTED,), says=()),
        ),
        website_says=(SUBMITTED,),
    )
    topology = topology.with_offices([house.suffix])
    assert missing(topology, vhost) == []
    # When the same topology is applied to it
    apply(topology, vhost)
    # Then there is no conflict, and everything is there
    assert missing(topology, vhost) == []


def test_what_no_consumer_takes_ends_in_the_dead_letter_queue_of_that_service(
    rabbit: RabbitBuses,
) -> None:
    # Given an event in the queues of two services
    rabbit.open().publish([message("poison", type=ACCEPTED)]).result(SOON)
    connection = pika.BlockingConnection(pika.URLParameters(rabbit.url))
    channel = connection.channel()
    # When one of them rejects it
    method, _, _ = channel.basic_get("registration")
    channel.basic_reject(method.delivery_tag, requeue=False)
    # Then it is in that service's dead-letter queue alone
    dead: list[bytes] = []

    def arrived() -> bool:
        method, _, body = channel.basic_get("registration.dead")
        dead.extend([body] if method else [])
        return bool(dead)

    wait_until(arrived, "the dead letter has arrived", SOON)
    assert dead == [b"poison"]
    assert channel.basic_get("activation.dead")[0] is None
    assert bodies(collect(rabbit.open("activation"), 1)) == ["poison"]
    connection.close()


def test_applying_the_topology_twice_changes_nothing(rabbit: RabbitBuses) -> None:
    # Given a broker with the topology and a message in it
    rabbit.open().publish([message("still here")]).result(SOON)
    # When it is applied again
    apply(TOPOLOGY, rabbit.url)
    # Then the message is still there
    assert bodies(collect(rabbit.open("signup"), 1)) == ["still here"]


def test_strict_takes_away_what_was_bound_for_everybody(rabbit: RabbitBuses) -> None:
    # Given a broker where an outside event may come by the services' exchange,
    everybodys, website = rabbit.open(), rabbit.open(exchange=website_exchange("0042"))
    assert everybodys.publish([message("by all")]).result(SOON) == [PublishResult.CONFIRMED]
    # When the topology is applied as a strict one,
    apply(replace(TOPOLOGY, strict=True).with_offices(["0042"]), rabbit.url)
    # Then it comes to nobody by that exchange, and by its speaker's own as ever;
    assert everybodys.publish([message("lost")]).result(SOON) == [PublishResult.UNROUTABLE]
    assert website.publish([message("by its own")]).result(SOON) == [PublishResult.CONFIRMED]
    # what services say has stayed where it was.
    said = message("said", type=ACCEPTED)
    assert everybodys.publish([said]).result(SOON) == [PublishResult.CONFIRMED]
    incoming = collect(rabbit.open("signup"), 2)
    assert [each.exchange for each in incoming] == [EXCHANGE, website_exchange("0042")]


def test_what_is_missing_is_named(rabbit: RabbitBuses) -> None:
    # Given a broker where a queue was deleted
    connection = pika.BlockingConnection(pika.URLParameters(rabbit.url))
    connection.channel().queue_delete("signup.dead")
    # When somebody looks
    names = missing(TOPOLOGY, rabbit.url)
    # Then it is named, and nothing else
    assert names == ["signup.dead"]
    connection.channel().exchange_delete(EXCHANGE)
    assert missing(TOPOLOGY, rabbit.url) == [EXCHANGE, "signup.dead"]
    connection.close()


def test_a_queue_that_exists_with_other_properties_is_a_conflict(vhost: str) -> None:
    # Given a queue that somebody made by hand
    connection = pika.BlockingConnection(pika.URLParameters(vhost))
    connection.channel().queue_declare("signup", durable=True)
    # When the topology is applied
    with pytest.raises(TopologyConflict) as conflict:
        apply(TOPOLOGY, vhost)
    # Then the broker's own sentence says which queue
    assert "'signup'" in str(conflict.value)
    connection.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "nowhere.invalid"])
def test_a_broker_that_is_away_is_no_conflict(host: str) -> None:
    # Given an address where no broker is
    (port,) = free_ports(1)
    url = f"amqp://signup:wr0ng-secret@{host}:{port}/"
    # When the topology is applied, or looked at
    for ask in (apply, missing):
        with pytest.raises(BusDown, match="cannot be reached") as down:
            ask(TOPOLOGY, url)
        # Then it is told so without the password
        assert "wr0ng-secret" not in str(down.value)
