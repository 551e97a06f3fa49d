"""Bad input on the broker: each ends as an answer or a dead letter, and the consumer goes on."""

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from infra.demo.simulators import website
from infra.demo.simulators.fates import Report
from infra.operations.dead_letters.letters import DeadLetter, find
from shared.events.envelope import MAX_BODY_BYTES
from shared.messaging.bus import EXCHANGE, Outgoing, PublishResult
from shared.trade.calendar import business_day
from tests.e2e.stage import Stage
from tests.servers.premises import wait_until

SIGNUP = "signup.submitted.v1"
RESULT = "collection.result.v1"


def publish(stage: Stage, *messages: Outgoing) -> None:
    """Put messages on the broker, as any client may."""
    if not stage.settings.embedded:
        publish_by_pika(stage, messages)
        return
    assert stage.line.publish(messages).result(30) == [PublishResult.CONFIRMED] * len(messages)


def publish_by_pika(stage: Stage, messages: Sequence[Outgoing]) -> None:
    """By a client that checks nothing of what it sends."""
    import pika  # noqa: TID251 - it stands for anybody's client.

    with closing(pika.BlockingConnection(pika.URLParameters(stage.settings.broker_url))) as line:
        channel = line.channel()
        channel.confirm_delivery()
        for message in messages:
            postage = pika.BasicProperties(content_type=message.content_type, message_id=message.id)
            where = ("", message.queue) if message.queue else (EXCHANGE, message.type)
            channel.basic_publish(*where, message.body, postage, mandatory=True)


def as_message(document: dict[str, Any], **changes: Any) -> Outgoing:
    message = Outgoing(document["id"], document["type"], json.dumps(document).encode())
    return replace(message, **changes)


def healthy_signup() -> dict[str, Any]:
    """A sign-up that nothing is wrong with, and that resembles no other."""
    (document,) = list(website.signups(13, seed=None))[12:]
    return document


def changed(**data: Any) -> dict[str, Any]:
    document = healthy_signup()
    document["data"] = {**document["data"], **data}
    return document


def result(**data: Any) -> dict[str, Any]:
    body = {
        "order_reference": "O-2026-999999",
        "end_to_end_id": f"O-2026-999999-{uuid4().hex[:6]}",
        "attempt": 1,
        "amount_cents": 100,
        "currency": "EUR",
        "status": "succeeded",
        "occurred_at": datetime.now(UTC).isoformat(),
    }
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "/king-billing",
        "type": RESULT,
        "subject": str(uuid4()),
        "time": datetime.now(UTC).isoformat(),
        "data": body | data,
    }


def without(document: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != name}


@dataclass(frozen=True)
class Bad:
    """A message that must become a dead letter, and a word of its reason."""

    make: Callable[[], Outgoing]
    service: str
    reason: str


def _unknown_type() -> Outgoing:
    return as_message(healthy_signup() | {"type": "signup.imagined.v1"}, queue="signup")


BAD = {
    "malformed JSON": Bad(lambda: Outgoing(str(uuid4()), SIGNUP, b'{"id": '), "signup", "JSON"),
    "wrong content type": Bad(
        lambda: as_message(healthy_signup(), content_type="text/xml"), "signup", "content type"
    ),
    "unknown type": Bad(_unknown_type, "signup", "unknown"),
    "missing attribute": Bad(
        lambda: as_message(without(healthy_signup(), "subject") | {"type": SIGNUP}),
        "signup",
        "subject",
    ),
    "missing field": Bad(
        lambda: as_message(result(end_to_end_id=None)), "billing", "end_to_end_id"
    ),
    "negative amount": Bad(lambda: as_message(result(amount_cents=-1)), "billing", "amount_cents"),
    "no currency at all": Bad(lambda: as_message(result(currency="€")), "billing", "currency"),
    "forged source": Bad(
        lambda: as_message(result() | {"source": "/website/0042"}), "billing", "king-billing"
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_cannot_be_read_becomes_a_dead_letter_with_its_reason(stage: Stage, kind: str) -> None:
    # Given a message that no service can accept, with a good one before and one behind it,
    bad, before, behind = BAD[kind], healthy_signup(), healthy_signup()
    before_ids = {letter.id for letter in dead(stage)}
    # When all three are published,
    publish(stage, as_message(before), bad.make(), as_message(behind))
    # Then the consumer goes on: the good ones go their way,
    for good in (before, behind):
        wait_until(lambda: "AANMELDEN" in stage.done(good["subject"]), "he is registered", 20)  # noqa: B023
    # and the bad one is kept, with a reason that names what is wrong.
    wait_until(lambda: len(dead(stage)) > len(before_ids), "the dead letter is there", 20)
    (letter,) = [letter for letter in dead(stage) if letter.id not in before_ids]
    assert letter.service == bad.service
    assert bad.reason in letter.error


def test_a_body_over_one_mebibyte_is_refused_and_the_consumer_goes_on(stage: Stage) -> None:
    # Given a sign-up that is larger than any event may be, and a good one behind it,
    large, behind = changed(remarks="x" * MAX_BODY_BYTES), healthy_signup()
    if stage.settings.embedded:
        # When it is handed to the embedded default, which can be reached by HTTP alone,
        answer = stage.ask("POST", "signup", "/api/events", json=large)
        # Then the sender gets a clear error;
        assert answer.status_code == 413, answer.text
        publish(stage, as_message(behind))
    else:
        # When both are published, Then it is kept as a dead letter that says how much is allowed;
        publish(stage, as_message(large), as_message(behind))
        wait_until(
            lambda: any("1048576" in letter.error for letter in dead(stage)), "it is dead", 20
        )
    # and the good one goes its way.
    wait_until(lambda: "AANMELDEN" in stage.done(behind["subject"]), "he is registered", 20)


def test_a_wrong_office_is_answered_field_by_field(stage: Stage) -> None:
    # Given a sign-up for an office that nobody knows,
    document = changed(office_code="9876")
    document["source"] = "/website/9876"
    # When it is published,
    publish(stage, as_message(document))
    # Then it is rejected with the field that is wrong, and it is no dead letter.
    wait_until(lambda: stage.blockers(document["subject"]) == ["signup_rejected"], "he is told", 20)


def test_a_website_cannot_sign_up_for_another_office(stage: Stage) -> None:
    # Given a website that bears the source of its own office,
    stage.open_office("0077")
    document = changed(office_code="0077") | {"source": "/website/0042"}
    # When it publishes a sign-up for another office,
    publish(stage, as_message(document))
    # Then that office does not get the customer.
    wait_until(
        lambda: any("/website/0077" in letter.error for letter in dead(stage)), "it is dead", 20
    )
    assert stage.onboarding(document["subject"]) is None


def test_a_foreign_currency_is_held_for_a_person_and_releases_nobody(stage: Stage) -> None:
    # Given a customer whose confirmation is signed, and from whom KING collected dollars,
    document = healthy_signup()
    onboarding = document["subject"]
    stage.king.plan = lambda _request: [Report("submitted")]
    publish(stage, as_message(document))
    reference = sign(stage, onboarding)
    wait_until(lambda: reference in stage.king.reported_at, "KING was asked to collect", 20)
    request = next(
        request for request in stage.king.requests if request.order_reference == reference
    )
    paid = {
        name: getattr(request, name)
        for name in ("order_reference", "end_to_end_id", "attempt", "amount_cents")
    }
    # When it reports them,
    dollars = result(**paid, currency="USD") | {"subject": onboarding}
    publish(stage, as_message(dollars))
    # Then the result is held for a person and the customer is not released;
    wait_until(lambda: "collection_held" in stage.blockers(onboarding), "it is held", 20)
    assert "VRIJGEVEN" not in stage.done(onboarding)
    held = stage.ask("GET", "billing", "/api/held-results").json()
    assert reference in [row["order_reference"] for row in held]
    # the exact amount, later, does release him.
    euros = result(**paid) | {"subject": onboarding}
    publish(stage, as_message(euros))
    wait_until(lambda: "VRIJGEVEN" in stage.done(onboarding), "he is released", 20)


def dead(stage: Stage) -> list[DeadLetter]:
    return find(stage.databases())


def sign(stage: Stage, onboarding: str) -> str:
    wait_until(lambda: "signature_missing" in stage.blockers(onboarding), "the order is sent", 20)
    reference = str((stage.onboarding(onboarding) or {})["order_reference"])
    body = {
        "method": "scan",
        "signed_on": business_day(datetime.now(UTC)).isoformat(),
        "signed_by": "A. Voorbeeld",
    }
    answer = stage.ask("POST", "billing", f"/api/orders/{reference}/signature", json=body)
    assert answer.status_code == 202, answer.text
    return reference
