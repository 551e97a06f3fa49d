"""A broker with exactly the file of `stappenplan topology definitions`: who may do what in it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import uuid4

import httpx
import pika  # noqa: TID251  A foreign client, to try what no service does.
import pytest
from pika.exceptions import ChannelClosedByBroker  # noqa: TID251

from infra.composition import KING, build_services, service_names
from infra.simulators import website
from infra.supervisor import Supervisor
from shared.events import EVENTS
from shared.messaging.bus import EXCHANGE, Outgoing, Receipt
from shared.messaging.rabbitmq import RabbitBus
from shared.messaging.topology import ADMIN
from shared.settings import Settings
from tests.integration.command_line.shell import Shell
from tests.servers.premises import wait_until
from tests.servers.rabbitmq import RabbitMQ

OFFICES = ("0042", "0077")
WEBSITES = tuple(f"website-{office}" for office in OFFICES)
SERVICES = tuple(service_names())
USERS = (*SERVICES, KING.name, *WEBSITES)
QUEUES = tuple(f"{one}{kind}" for one in (*SERVICES, KING.name) for kind in ("", ".dead"))
REFUSED = 403


@dataclass
class Broker:
    """A virtual host that has imported the file, and the passwords of its users."""

    vhost: str
    passwords: dict[str, str]

    def url(self, user: str) -> str:
        """The address under one user's name."""
        parts = urlsplit(self.vhost)
        netloc = f"{user}:{quote(self.passwords[user], safe='')}@{parts.hostname}:{parts.port}"
        return urlunsplit(parts._replace(netloc=netloc))

    def refuses(self, user: str, work: Callable[[Any], object]) -> bool:
        """Whether the broker refuses this user to do that, for want of the right to."""
        connection = pika.BlockingConnection(pika.URLParameters(self.url(user)))
        channel = connection.channel()
        channel.confirm_delivery()
        try:
            work(channel)
        except ChannelClosedByBroker as refusal:
            if refusal.reply_code == REFUSED:
                return True
            raise
        finally:
            connection.close()
        return False


@pytest.fixture
def broker(rabbitmq: RabbitMQ, vhost: str, tmp_path: Path) -> Iterator[Broker]:
    """The file, as the command prints it, imported; its users go afterwards."""
    there = {one["name"] for one in rabbitmq.management.call("GET", "/users")}
    ours = {ADMIN, *USERS}
    assert there.isdisjoint(ours), "this broker serves a Stappenplan: the tests leave it alone"
    passwords = tmp_path / "passwords.json"
    offices = [word for office in OFFICES for word in ("--office", office)]
    name = urlsplit(vhost).path.removeprefix("/")
    words = ("topology", "definitions", *offices, "--vhost", name, "--passwords", str(passwords))
    answer = Shell(tmp_path, {})(*words)
    assert answer.returncode == 0, answer.stderr
    rabbitmq.management.call("POST", "/definitions", json.loads(answer.stdout))
    yield Broker(vhost, json.loads(passwords.read_text()))
    for user in ours:
        rabbitmq.management.call("DELETE", f"/users/{user}")


def own_events(user: str) -> set[str]:
    if user in WEBSITES:
        return {"signup.submitted.v1"}
    if user == KING.name:
        return {"collection.result.v1"}
    (service,) = [one for one in build_services(Settings()) if one.name == user]
    return set(service.says)


@pytest.mark.parametrize("user", USERS)
def test_each_says_its_own_events_and_no_other(broker: Broker, user: str) -> None:
    # When a user tries to say every event there is, and one that there is not,
    accepted = {
        name
        for name in (*EVENTS, "payroll.made.v1", "#")
        if not broker.refuses(
            user, lambda channel, name=name: channel.basic_publish(EXCHANGE, name, b"{}")
        )
    }
    # Then the broker takes from it what it owns, and nothing else.
    assert accepted == own_events(user)
    assert accepted


@pytest.mark.parametrize("user", USERS)
def test_nobody_writes_past_the_exchange_of_events(broker: Broker, user: str) -> None:
    # When a user puts a message straight into a queue, or into an exchange of the broker's own,
    for exchange in ("", "amq.topic", "amq.direct", "amq.fanout", "amq.headers"):
        for queue in ("signup", "billing.dead"):
            # Then the broker refuses.
            assert broker.refuses(
                user, lambda channel, e=exchange, q=queue: channel.basic_publish(e, q, b"{}")
            )


@pytest.mark.parametrize("user", USERS)
def test_each_reads_its_own_two_queues_and_no_other(broker: Broker, user: str) -> None:
    # When a user consumes from every queue there is,
    readable = {
        queue
        for queue in QUEUES
        if not broker.refuses(
            user, lambda channel, q=queue: channel.basic_consume(q, lambda *_: None)
        )
    }
    # Then the broker gives it its own, and what it gave up of these; a website has none.
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
def test_nobody_but_the_administrator_makes_or_removes(broker: Broker, what: str) -> None:
    # When any user tries, on its own queue where there is one, Then the broker refuses.
    for user in USERS:
        own = "signup" if user in WEBSITES else user
        assert broker.refuses(user, lambda channel, own=own: DECLARATIONS[what](channel, own)), user
    # The administrator may.
    assert not broker.refuses(ADMIN, lambda channel: DECLARATIONS[what](channel, "signup"))


@pytest.mark.parametrize("user", USERS)
def test_nobody_gives_himself_out_for_another(broker: Broker, user: str) -> None:
    # When a user publishes what it may, under another's name,
    event = min(own_events(user))
    connection = pika.BlockingConnection(pika.URLParameters(broker.url(user)))
    channel = connection.channel()
    channel.confirm_delivery()
    other = "website-0042" if user != "website-0042" else KING.name
    with pytest.raises(ChannelClosedByBroker) as refusal:
        channel.basic_publish(EXCHANGE, event, b"{}", pika.BasicProperties(user_id=other))
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


# Services at work in it, each as its own user, with STRICT_PUBLISHERS.


@pytest.fixture
def shell(broker: Broker, tmp_path: Path) -> Shell:
    """The settings of somebody who looks after the services of this broker."""
    return Shell(tmp_path, {"STRICT_PUBLISHERS": "true", "BROKER_URL": broker.url(ADMIN)})


@pytest.fixture
def run(broker: Broker, shell: Shell, tmp_path: Path) -> Iterator[Callable[[str], Supervisor]]:
    """Runs one service, as its own user; signup knows the offices."""
    for office in OFFICES:
        shell("office", "add", office, "--name", "Kantoor", "--email", "kantoor@voorbeeld.example")
    running: list[Supervisor] = []

    def start(name: str) -> Supervisor:
        settings = Settings(
            broker_url=broker.url(name), data_dir=tmp_path, http_port=0, strict_publishers=True
        )
        one = Supervisor(settings, [name])
        one.start()
        running.append(one)
        return one

    yield start
    for one in running:
        one.stop()


def say(broker: Broker, user: str, event: dict[str, Any], **properties: Any) -> None:
    """Publish as any client would, under a user of the broker."""
    connection = pika.BlockingConnection(pika.URLParameters(broker.url(user)))
    channel = connection.channel()
    channel.confirm_delivery()
    how = pika.BasicProperties(content_type="application/cloudevents+json", **properties)
    channel.basic_publish(EXCHANGE, event["type"], json.dumps(event).encode(), how, mandatory=True)
    connection.close()


def letters(shell: Shell, service: str, number: int) -> list[dict[str, Any]]:
    """The dead letters of a service, once there are so many."""
    found: list[dict[str, Any]] = []

    def enough() -> bool:
        found[:] = shell.json("dead", "list", service, "--json")
        return len(found) >= number

    wait_until(enough, f"{number} dead letters at {service}", 30)
    return found


def signup(office: str, source: str | None = None) -> dict[str, Any]:
    (event,) = website.signups(1, office)
    event["source"] = source or event["source"]
    return event


def test_a_forged_publisher_is_refused_and_on_record_and_the_honest_one_is_heard(
    broker: Broker, shell: Shell, run: Callable[[str], Supervisor]
) -> None:
    # Given signup at work as its own user,
    run("signup")
    # When the website of one office signs up for another, in its name or with its own,
    say(broker, "website-0042", signup("0077"), user_id="website-0042")
    say(broker, "website-0042", signup("0077", "/website/0042"), user_id="website-0042")
    # or speaks as a service, or does not say who it is,
    say(broker, "website-0042", signup("0042", "/services/billing"), user_id="website-0042")
    say(broker, "website-0042", signup("0042"))
    # and when an honest one signs up,
    say(broker, "website-0077", signup("0077"), user_id="website-0077")
    # Then all that was forged is dead, each with its reason,
    found = letters(shell, "signup", 4)
    reasons = sorted(one["error"] for one in found)
    assert [one.removeprefix("signup.submitted.v1 ") for one in reasons] == [
        "is said by website, not by /services/billing",
        "must be published by user website-0042, not nobody",
        "must be published by user website-0077, not website-0042",
        "must be published by user website-0077, not website-0042",
    ]
    # what the broker vouched for is kept with it,
    shown = shell.json("dead", "show", "signup", found[0]["id"], "--json")
    assert shown["postage"]["user_id"] in ("website-0042", None)
    # a person who retries it does not vouch for it,
    for one in found:
        answer = shell("dead", "retry", "signup", one["id"])
        assert (answer.returncode, "refused again" in answer.stderr) == (1, True)
    # and the honest sign-up alone was heard.
    wait_until(lambda: waiting(broker, "registration") == 1, "signup has accepted it", 20)


def test_king_cannot_report_as_anybody_else(
    broker: Broker, shell: Shell, run: Callable[[str], Supervisor]
) -> None:
    # Given billing at work, When KING's user says what money came in, as if a service said so,
    run("billing")
    event = signup("0042", "/services/billing") | {"type": "collection.result.v1", "data": {}}
    say(broker, KING.name, event, user_id=KING.name)
    say(broker, KING.name, event | {"source": "/king-billing", "id": str(uuid4())})
    # Then it is dead, and so is a report that does not bear KING's user.
    errors = sorted(one["error"] for one in letters(shell, "billing", 2))
    assert errors[0].endswith("is said by king-billing, not by /services/billing")
    assert errors[1].endswith("must be published by user king-billing, not nobody")


def test_a_service_keeps_what_the_broker_gave_up_as_its_own_user(
    broker: Broker, shell: Shell, run: Callable[[str], Supervisor]
) -> None:
    # Given a sign-up that the broker has given up,
    event = signup("0042")
    say(broker, "website-0042", event, user_id="website-0042")
    connection = pika.BlockingConnection(pika.URLParameters(broker.url(ADMIN)))
    channel = connection.channel()
    method = None
    while method is None:
        method, _, _ = channel.basic_get("signup")
    channel.basic_reject(method.delivery_tag, requeue=False)
    wait_until(lambda: waiting(broker, "signup.dead") == 1, "the broker has given it up", 20)
    # When signup runs, Then it is a dead letter there, and no longer the broker's to keep;
    run("signup")
    (letter,) = letters(shell, "signup", 1)
    assert (letter["id"], letter["type"]) == (event["id"], "signup.submitted.v1")
    assert "the broker gave it up: a consumer rejected it" in letter["error"]
    wait_until(lambda: waiting(broker, "signup.dead") == 0, "it is acknowledged", 20)
    # retried, it goes its way.
    assert shell("dead", "retry", "signup", letter["id"]).returncode == 0
    wait_until(lambda: waiting(broker, "registration") == 1, "signup has accepted it", 20)
    connection.close()


def test_a_replay_by_the_administrator_is_believed(
    broker: Broker, shell: Shell, run: Callable[[str], Supervisor]
) -> None:
    # Given an accepted sign-up whose event registration's queue has lost,
    one = run("signup")
    say(broker, "website-0042", signup("0042"), user_id="website-0042")
    wait_until(lambda: waiting(broker, "registration") == 1, "signup has accepted it", 20)
    connection = pika.BlockingConnection(pika.URLParameters(broker.url(ADMIN)))
    connection.channel().queue_purge("registration")
    connection.close()
    wait_until(lambda: published(one) == 1, "signup has noted that it is published", 20)
    # When it is replayed, Then registration gets it and refuses nothing.
    assert shell("db", "upgrade").returncode == 0
    answer = shell("replay", "registration")
    assert answer.returncode == 0, answer.stderr
    assert waiting(broker, "registration") == 1
    run("registration")
    wait_until(lambda: waiting(broker, "registration") == 0, "registration has heard it", 20)
    wait_until(lambda: waiting(broker, "billing") >= 1, "registration has said its word", 20)
    assert shell.json("dead", "list", "registration", "--json") == []


def test_an_office_without_a_user_of_its_own_cannot_speak(broker: Broker) -> None:
    # Given the definitions for two offices, When a third one's website logs in,
    parts = urlsplit(broker.vhost)
    url = urlunsplit(
        parts._replace(netloc=f"website-0099:{'x' * 24}@{parts.hostname}:{parts.port}")
    )
    bus = RabbitBus(url, queue=None, name="website-0099")
    bus.open()
    # Then nothing that it says is taken.
    receipts = bus.publish([Outgoing(str(uuid4()), "signup.submitted.v1", b"{}")]).result(10)
    assert receipts == [Receipt.UNKNOWN]
    bus.close()


def waiting(broker: Broker, queue: str) -> int:
    """How many messages are ready in a queue; the administrator asks."""
    connection = pika.BlockingConnection(pika.URLParameters(broker.url(ADMIN)))
    found = connection.channel().queue_declare(queue, passive=True).method.message_count
    connection.close()
    return int(found)


def published(one: Supervisor) -> int:
    """How many events a service knows to be published."""
    from sqlalchemy import func, select
    from sqlmodel import col

    from shared.processing.model import Outbox

    with one.runtimes[0].reading() as session:
        counted = select(func.count()).where(col(Outbox.published_at).is_not(None))
        return int(session.execute(counted).scalar_one())
