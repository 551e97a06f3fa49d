"""What happens to RabbitMQ must not happen to a customer: nothing is lost, nothing doubled."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pika  # noqa: TID251 - an administrator's hand, to do what no service may.
import pytest

from shared.messaging.bus import EXCHANGE
from tests.faults.conftest import Note
from tests.faults.stage import Stage, within
from tests.servers.rabbitmq import RabbitMQ

SOON = 30.0
"""Seconds within which the services notice what has become of the broker."""


def test_a_restart_of_the_broker(rabbitmq: RabbitMQ, stage: Stage, note: Note) -> None:
    # When the broker is restarted in good order, under load
    remember_queues(rabbitmq)
    rabbitmq.restart()
    # Then everything goes on, and nothing is lost or doubled
    seconds = stage.recovered()
    note("broker restarted", stage.ledger(), seconds)


def test_the_broker_is_killed(rabbitmq: RabbitMQ, stage: Stage, note: Note) -> None:
    # When the broker is killed, under load
    remember_queues(rabbitmq)
    rabbitmq.kill()
    rabbitmq.start()
    # Then everything goes on, and nothing is lost or doubled
    seconds = stage.recovered()
    note("broker killed", stage.ledger(), seconds)


def test_all_connections_are_closed_again_and_again(
    rabbitmq: RabbitMQ, stage: Stage, note: Note
) -> None:
    # When the broker closes every connection, three times, under load
    for _ in range(3):
        rabbitmq.ctl("close_all_connections", "--vhost", vhost_of(stage), "test")
        stage.flowing(10)
    # Then everything goes on, and nothing is lost or doubled
    seconds = stage.recovered()
    note("all connections closed, three times", stage.ledger(), seconds)


def test_the_broker_takes_nothing_for_want_of_memory(
    rabbitmq: RabbitMQ, stage: Stage, note: Note
) -> None:
    # When the broker raises its memory alarm, and stops reading from who publishes, under load
    rabbitmq.ctl("set_vm_memory_high_watermark", "absolute", "1MB")
    try:
        within(SOON, lambda: stage.told("broker_blocked"), "publishers are blocked")
        time.sleep(5)
        assert stage.alive(), "it is no reason to restart a service"
    finally:
        rabbitmq.ctl("set_vm_memory_high_watermark", "0.4")
    # Then everything goes on, and nothing is lost or doubled
    seconds = stage.recovered()
    note("memory alarm", stage.ledger(), seconds)


def test_a_queue_is_deleted_and_its_consumer_cancelled(stage: Stage, note: Note) -> None:
    # When the queue of a service is deleted with all its messages, under load
    with channel(stage) as administrator:
        administrator.queue_delete("activation")
    # Then readiness and the doctor say so, and what nobody hears is kept with the reason
    within(SOON, lambda: stage.told("consumer_cancelled"), "the service is told")
    within(SOON, lambda: not stage.ready(), "readiness is red")
    findings = stage.try_to_run("doctor")
    assert findings.returncode == 1
    assert "activation" in findings.stdout
    within(SOON, lambda: unroutable(stage) > 0, "events are kept")
    # And when a person does what the doctor says
    stage.load.stop()
    stage.run("topology", "apply")
    within(SOON, stage.ready, "the service has subscribed again")
    seconds = stage.recovered()
    stage.run("replay", "activation")
    # Then the queue has been served what it missed, and nothing is lost or doubled
    note("queue deleted, its consumer cancelled", stage.ledger(), seconds)


def test_a_binding_is_deleted(stage: Stage, note: Note) -> None:
    # When an event has no way to its only hearer any more, under load
    with channel(stage) as administrator:
        administrator.queue_unbind("registration", EXCHANGE, "signup.accepted.v1")
        administrator.queue_unbind("activation", EXCHANGE, "signup.accepted.v1")
    # Then what nobody hears is kept with the reason, and the doctor names the binding
    within(SOON, lambda: unroutable(stage) > 0, "events are kept")
    doctor = stage.try_to_run("doctor", "--json").stdout
    assert "signup.accepted.v1 reaches nobody; signup keeps it" in doctor
    # And when a person does what the doctor says
    stage.run("topology", "apply")
    stage.run("replay", "registration")
    stage.run("replay", "activation")
    # Then nothing is lost or doubled
    seconds = stage.recovered()
    note("binding deleted, no other hearer", stage.ledger(), seconds)


def test_a_binding_is_deleted_that_has_others_beside_it(stage: Stage, note: Note) -> None:
    # Given an event that another service still hears: the broker returns nothing
    with channel(stage) as administrator:
        administrator.queue_unbind("billing", EXCHANGE, "registration.completed.v1")

    # Then the doctor names the binding all the same
    def named() -> bool:
        found = stage.try_to_run("doctor", "--json").stdout
        return "registration.completed.v1 does not reach billing" in found

    within(60, named, "the doctor names the binding")
    # When a person has the topology applied, and the queue served
    stage.run("topology", "apply")
    stage.run("replay", "billing")
    # Then it has what it missed, and nothing is lost or doubled
    seconds = stage.recovered()
    note("binding deleted, others hear the event", stage.ledger(), seconds)


def test_a_permission_is_revoked_and_given_back(
    rabbitmq: RabbitMQ, stage: Stage, note: Note
) -> None:
    # When the services may neither read nor write any more, and have to connect anew, under load
    user, vhost = str(urlsplit(rabbitmq.url).username), vhost_of(stage)
    rabbitmq.ctl("set_permissions", "--vhost", vhost, user, "", "", "")
    rabbitmq.ctl("close_all_connections", "--vhost", vhost, "test")
    within(SOON, lambda: not stage.ready(), "readiness is red")
    assert stage.alive(), "to restart a service gives it no permission"
    rabbitmq.ctl("set_permissions", "--vhost", vhost, user, ".*", ".*", ".*")
    # Then everything goes on, and nothing is lost or doubled
    seconds = stage.recovered()
    note("permissions revoked and given back", stage.ledger(), seconds)


@pytest.mark.faults
def test_a_consumer_that_does_not_acknowledge_in_time(
    rabbitmq: RabbitMQ, stage: Stage, note: Note
) -> None:
    # Given a broker that waits two seconds for an acknowledgement, and looks once a second
    before = rabbitmq.ctl("eval", "application:get_env(rabbit, consumer_timeout).")
    rabbitmq.ctl("eval", "application:set_env(rabbit, consumer_timeout, 2000).")
    rabbitmq.ctl("eval", "application:set_env(rabbit, channel_tick_interval, 1000).")
    rabbitmq.ctl("close_all_connections", "--vhost", vhost_of(stage), "test")
    try:
        # When a service cannot finish its work for longer, under load
        with held_up(stage, "registration"):
            within(60, lambda: stage.told("PRECONDITION_FAILED"), "the channel is closed (406)")
    finally:
        default = before.partition(",")[2].strip(" }\n") or "1800000"
        rabbitmq.ctl("eval", f"application:set_env(rabbit, consumer_timeout, {default}).")
        rabbitmq.ctl("eval", "application:set_env(rabbit, channel_tick_interval, 60000).")
    # Then everything goes on, and nothing is lost or doubled
    seconds = stage.recovered()
    note("consumer timeout (406)", stage.ledger(), seconds)


def remember_queues(rabbitmq: RabbitMQ) -> None:
    """Have the broker write to disk which queues it has: it takes its time for that by itself."""
    rabbitmq.ctl("eval", "[dets:sync(Table) || Table <- dets:all()].")


def vhost_of(stage: Stage) -> str:
    """The virtual host in which the services of this stage work."""
    return urlsplit(stage.settings.broker_url).path.removeprefix("/")


@contextmanager
def channel(stage: Stage) -> Iterator[Any]:
    """An administrator's channel to the virtual host of this stage."""
    connection = pika.BlockingConnection(pika.URLParameters(stage.settings.broker_url))
    yield connection.channel()
    connection.close()


def unroutable(stage: Stage) -> int:
    """How many events are kept because nobody hears them."""
    query = "SELECT count(*) FROM outbox WHERE published_at IS NULL AND error LIKE 'no queue is%'"
    return sum(
        int(row[0])
        for service in ("signup", "registration", "billing")
        for row in stage.books.rows(service, query)
    )


@contextmanager
def held_up(stage: Stage, service: str) -> Iterator[None]:
    """Let a service wait for its own database."""
    from tests.faults.test_database import as_owner

    with as_owner(stage, service) as owner, owner.transaction():
        owner.execute("LOCK TABLE inbox IN SHARE ROW EXCLUSIVE MODE")
        yield
