"""A client that is not ours speaks to us through the broker: Debian's `amqp-publish`."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from infra.composition import service_names, topology
from infra.demo.simulators import website
from shared.host.settings import Settings
from shared.messaging.topology.declare import apply
from shared.trade.calendar import business_day
from tests.e2e.foreign_client import amqp_publish
from tests.e2e.stage import Stage, one_process
from tests.servers.management import url_of_vhost
from tests.servers.postgres import Databases
from tests.servers.premises import wait_until
from tests.servers.rabbitmq import RabbitMQ


@pytest.fixture(scope="module")
def stage(
    rabbitmq: RabbitMQ, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """All services on RabbitMQ and PostgreSQL, and nobody who plays KING."""
    vhost = rabbitmq.management.new_vhost()
    address = databases.make_each(service_names())
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("data"),
        http_port=0,
        broker_url=url_of_vhost(rabbitmq.url, vhost),
        database_url=address,
    )
    with one_process(settings, simulate_king=False) as stage:
        yield stage
    rabbitmq.management.delete_vhost(vhost)
    for name in service_names():
        databases.drop(address.replace("{service}", name))


Publish = Callable[..., None]


@pytest.fixture(scope="module")
def publish(stage: Stage) -> Publish:
    """Publish by the foreign client, to the exchange of whoever owns the event."""
    # The office was entered over HTTP; its exchange is the operator's to make.
    wanted = topology(stage.settings).with_offices(["0042"])
    apply(wanted, stage.settings.broker_url)
    exchanges = {event: speaker.exchange for speaker in wanted.speakers() for event in speaker.says}

    def say(routing_key: str, body: str, content_type: str, **headers: str) -> None:
        url, exchange = stage.settings.broker_url, exchanges[routing_key]
        amqp_publish(url, exchange, routing_key, body, content_type, **headers)

    return say


def sign_up(example: int) -> dict[str, Any]:
    return website.examples()[example]


def to_be_collected(stage: Stage, reference: str) -> dict[str, Any] | None:
    rows = stage.ask("GET", "billing", "/api/collections", params={"status": "requested"}).json()
    return next((row for row in rows if row["order_reference"] == reference), None)


def sign(stage: Stage, onboarding: str) -> str:
    """Return the order's confirmation, signed, once it was sent; give the order's reference."""
    wait_until(lambda: "signature_missing" in stage.blockers(onboarding), "the order is sent", 20)
    reference = str((stage.onboarding(onboarding) or {})["order_reference"])
    body = {
        "method": "post",
        "signed_on": business_day(datetime.now(UTC)).isoformat(),
        "signed_by": "A. Voorbeeld",
    }
    answer = stage.ask("POST", "billing", f"/api/orders/{reference}/signature", json=body)
    assert answer.status_code == 202, answer.text
    return reference


def test_a_foreign_signup_and_a_foreign_payment_release_the_customer(
    stage: Stage, publish: Publish
) -> None:
    # Given a sign-up in CloudEvents' structured mode from a client that is not ours, and spells
    # what has several spellings otherwise than we do, as Dapr and others do,
    document = sign_up(0)
    onboarding = document["subject"]
    spelt = {
        "id": UUID(document["id"]).hex.upper(),
        "subject": UUID(onboarding).hex,
        "time": document["time"].lower(),
        "datacontenttype": "application/json; charset=UTF-8",
    }
    content_type = "Application/CloudEvents+JSON; charset=UTF-8"
    publish(document["type"], json.dumps(document | spelt), content_type)
    # and its confirmation, signed,
    reference = sign(stage, onboarding)
    due = to_be_collected(stage, reference)
    assert due is not None
    # When the same client publishes that the money came in,
    result = {key: due[key] for key in ("order_reference", "end_to_end_id", "attempt")}
    result |= {"amount_cents": due["amount_cents"], "currency": "EUR", "status": "succeeded"}
    result |= {"occurred_at": datetime.now(UTC).isoformat()}
    said = {
        "specversion": "1.0",
        "id": uuid4().urn,
        "source": "/king-billing",
        "type": "collection.result.v1",
        "subject": onboarding,
        "time": datetime.now(UTC).isoformat(),
        "data": result,
    }
    publish(said["type"], json.dumps(said), "application/cloudevents+json")
    # Then the customer is released, and the office's staff may send him his credentials.
    wait_until(lambda: "VRIJGEVEN" in stage.done(onboarding), "the customer is released", 20)
    assert stage.blockers(onboarding) == ["ready_to_activate"]


def test_a_foreign_client_may_speak_binary_mode(stage: Stage, publish: Publish) -> None:
    # Given a client that finds headers easier than a JSON envelope,
    document = sign_up(1)
    onboarding = document["subject"]
    # When it publishes a sign-up with the attributes as headers and the data as body,
    headers = {
        name: document[name] for name in ("specversion", "id", "source", "type", "subject", "time")
    }
    publish(document["type"], json.dumps(document["data"]), "application/json", **headers)
    # Then it is taken up like any other,
    reference = sign(stage, onboarding)
    due = to_be_collected(stage, reference)
    assert due is not None
    # and so is KING's report in the same mode.
    result = {key: due[key] for key in ("order_reference", "end_to_end_id", "attempt")}
    result |= {"amount_cents": due["amount_cents"], "currency": "EUR", "status": "succeeded"}
    result |= {"occurred_at": datetime.now(UTC).isoformat()}
    publish(
        "collection.result.v1",
        json.dumps(result),
        "application/json",
        specversion="1.0",
        id=str(uuid4()),
        source="/king-billing",
        type="collection.result.v1",
        subject=onboarding,
        time=datetime.now(UTC).isoformat(),
    )
    wait_until(lambda: "VRIJGEVEN" in stage.done(onboarding), "the customer is released", 20)
