"""Services at work, each as its own user, with STRICT_PUBLISHERS: whom they believe."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pika  # noqa: TID251  A foreign client, to try what no service does.
import pytest

from infra.buses import exchange_of_user
from infra.composition import KING
from infra.demo.simulators import website
from infra.run.supervisor import Supervisor
from shared.host.settings import Settings
from shared.messaging.topology import ADMIN
from tests.integration.bus.privileges.users import OFFICES, Broker
from tests.integration.command_line.shell import Shell
from tests.servers.premises import wait_until


@pytest.fixture
def shell(broker: Broker, tmp_path: Path) -> Shell:
    """The settings of somebody who looks after the services of this broker."""
    return Shell(tmp_path, {"STRICT_PUBLISHERS": "true", "BROKER_URL": broker.url_of_each(ADMIN)})


@pytest.fixture
def run(broker: Broker, shell: Shell, tmp_path: Path) -> Iterator[Callable[[str], Supervisor]]:
    """Runs one service, as its own user; signup knows the offices."""
    for office in OFFICES:
        shell("office", "add", office, "--name", "Kantoor", "--email", "kantoor@voorbeeld.example")
    running: list[Supervisor] = []

    def start(name: str) -> Supervisor:
        settings = Settings(broker_url=broker.url_of_each(name), data_dir=tmp_path, http_port=0)
        assert settings.strict_publishers
        supervisor = Supervisor(settings, [name])
        supervisor.start()
        running.append(supervisor)
        return supervisor

    yield start
    for supervisor in running:
        supervisor.stop()


def say(broker: Broker, user: str, event: dict[str, Any], **properties: Any) -> None:
    """Publish as any client would, under a user of the broker."""
    connection = pika.BlockingConnection(pika.URLParameters(broker.url(user)))
    channel = connection.channel()
    channel.confirm_delivery()
    how = pika.BasicProperties(content_type="application/cloudevents+json", **properties)
    body = json.dumps(event).encode()
    channel.basic_publish(exchange_of_user(user), event["type"], body, how, mandatory=True)
    connection.close()


def letters(shell: Shell, service: str, number: int) -> list[dict[str, Any]]:
    """The dead letters of a service, once there are so many."""
    rows: list[dict[str, Any]] = []

    def enough() -> bool:
        rows[:] = shell.json("dead", "list", service, "--json")
        return len(rows) >= number

    wait_until(enough, f"{number} dead letters at {service}", 30)
    return rows


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
    # or speaks as a service,
    say(broker, "website-0042", signup("0042", "/services/billing"), user_id="website-0042")
    # and when honest ones sign up, one of which does not say who it is,
    say(broker, "website-0077", signup("0077"), user_id="website-0077")
    say(broker, "website-0042", signup("0042"))
    # Then all that was forged is dead, each with its reason,
    dead = letters(shell, "signup", 3)
    reasons = sorted(letter["error"] for letter in dead)
    assert [reason.removeprefix("signup.submitted.v1 ") for reason in reasons] == [
        "is said by website, not by /services/billing",
        "must come by the exchange stappenplan.website.0077, not by stappenplan.website.0042",
        "must come by the exchange stappenplan.website.0077, not by stappenplan.website.0042",
    ]
    # what the broker vouched for is kept with it,
    shown = shell.json("dead", "show", "signup", dead[0]["id"], "--json")
    assert shown["properties"]["user_id"] == "website-0042"
    assert shown["exchange"] == "stappenplan.website.0042"
    # a person who retries it does not vouch for it,
    for letter in dead:
        answer = shell("dead", "retry", "signup", letter["id"])
        assert (answer.returncode, "refused again" in answer.stderr) == (1, True)
    # and the honest sign-ups alone were heard.
    wait_until(lambda: waiting(broker, "registration") == 2, "signup has accepted them", 20)


def test_king_cannot_report_as_anybody_else(
    broker: Broker, shell: Shell, run: Callable[[str], Supervisor]
) -> None:
    # Given billing at work, When KING's user says what money came in, as if a service said so,
    run("billing")
    event = signup("0042", "/services/billing") | {"type": "collection.result.v1", "data": {}}
    say(broker, KING.name, event, user_id=KING.name)
    say(broker, KING.name, event | {"source": "/king-billing", "id": str(uuid4())})
    # Then it is dead; a report that does not bear KING's user is KING's by its exchange, and is
    # read: this one says nothing.
    errors = sorted(letter["error"] for letter in letters(shell, "billing", 2))
    assert any(
        error.endswith("is said by king-billing, not by /services/billing") for error in errors
    )
    assert not any("must be published" in error or "must come by" in error for error in errors)


def test_a_service_takes_up_what_the_broker_dead_lettered_as_its_own_user(
    broker: Broker, shell: Shell, run: Callable[[str], Supervisor]
) -> None:
    # Given a sign-up that the broker has dead-lettered,
    event = signup("0042")
    say(broker, "website-0042", event, user_id="website-0042")
    connection = pika.BlockingConnection(pika.URLParameters(broker.url(ADMIN)))
    channel = connection.channel()
    method = None
    while method is None:
        method, _, _ = channel.basic_get("signup")
    channel.basic_reject(method.delivery_tag, requeue=False)
    wait_until(lambda: waiting(broker, "signup.dead") == 1, "the broker has dead-lettered it", 20)
    # When signup runs, Then it is run there all the same, and no longer the broker's to keep.
    run("signup")
    wait_until(lambda: waiting(broker, "registration") == 1, "signup has accepted it", 20)
    wait_until(lambda: waiting(broker, "signup.dead") == 0, "it is acknowledged", 20)
    connection.close()


def test_a_replay_by_the_administrator_is_believed(
    broker: Broker, shell: Shell, run: Callable[[str], Supervisor]
) -> None:
    # Given an accepted sign-up whose event registration's queue has lost,
    supervisor = run("signup")
    say(broker, "website-0042", signup("0042"), user_id="website-0042")
    wait_until(lambda: waiting(broker, "registration") == 1, "signup has accepted it", 20)
    connection = pika.BlockingConnection(pika.URLParameters(broker.url(ADMIN)))
    connection.channel().queue_purge("registration")
    connection.close()
    wait_until(lambda: published(supervisor) == 1, "signup has noted that it is published", 20)
    # When it is replayed, Then registration gets it and refuses nothing.
    assert shell("db", "upgrade").returncode == 0
    answer = shell("replay", "registration")
    assert answer.returncode == 0, answer.stderr
    assert waiting(broker, "registration") == 1
    run("registration")
    wait_until(lambda: waiting(broker, "registration") == 0, "registration has heard it", 20)
    wait_until(lambda: waiting(broker, "billing") >= 1, "registration has said its word", 20)
    assert shell.json("dead", "list", "registration", "--json") == []


def waiting(broker: Broker, queue: str) -> int:
    """How many messages are ready in a queue; the administrator asks."""
    connection = pika.BlockingConnection(pika.URLParameters(broker.url(ADMIN)))
    count = connection.channel().queue_declare(queue, passive=True).method.message_count
    connection.close()
    return int(count)


def published(supervisor: Supervisor) -> int:
    """How many events a service knows to be published."""
    from sqlalchemy import func, select
    from sqlmodel import col

    from shared.processing.store.tables import Outbox

    with supervisor.runtimes[0].reading() as session:
        counted = select(func.count()).where(col(Outbox.published_at).is_not(None))
        return int(session.execute(counted).scalar_one())
