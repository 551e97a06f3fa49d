"""The audit beside services at work: books that balance, and each way in which they may not."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Table

from infra.operations.audit.queues import Queues
from services.activation.models import Activation
from services.billing.models import Order
from services.registration.models import Registration
from shared.messaging.bus import EXCHANGE
from shared.processing.dead_letters import REJECTED
from tests.integration.audit.conftest import (
    CUSTOMERS,
    INBOX,
    OUTBOX,
    Spoiler,
    kinds,
    only,
    with_id,
)

ORDER: Table = Order.__table__  # type: ignore[attr-defined]
REGISTRATION: Table = Registration.__table__  # type: ignore[attr-defined]
ACTIVATION: Table = Activation.__table__  # type: ignore[attr-defined]
COMPLETED = "registration.completed.v1"
ACCEPTED = "signup.accepted.v1"
RELEASED = "customer.released.v1"


def figures(spoiler: Spoiler, event: str, hearer: str, **how: Any) -> dict[str, int]:
    books = spoiler.close(**how)
    (pair,) = [pair for pair in books.pairs if (pair.event, pair.hearer) == (event, hearer)]
    numbers = {"said": pair.said, "arrived": pair.arrived, "waiting": pair.waiting}
    return numbers | {"dead": pair.dead, "dropped": pair.dropped, "lost": pair.lost}


def test_after_real_traffic_the_books_balance(spoiler: Spoiler) -> None:
    # Given customers who went all the way, When the books are closed,
    books = spoiler.close()
    # Then each customer is everywhere, each event is with everybody who hears it, none twice.
    assert books.findings == []
    assert books.balanced
    assert books.line == f"accepted {CUSTOMERS} · arrived {CUSTOMERS} · lost 0 · doubled 0"
    assert [pair for pair in books.pairs if pair.arrived != pair.said] == []
    said = {(pair.event, pair.hearer): pair.said for pair in books.pairs}
    assert said["signup.submitted.v1", "signup"] == CUSTOMERS + 1
    for hearer in ("signup", "billing", "activation"):
        assert said[COMPLETED, hearer] == CUSTOMERS
    assert said["collection.requested.v1", "king-billing"] == CUSTOMERS


def test_an_event_that_never_reached_a_hearer_is_lost(spoiler: Spoiler) -> None:
    # Given an event that stands in its speaker's outbox, and in one inbox no more,
    event = spoiler.said("registration", COMPLETED)
    spoiler.take_away("activation", INBOX, INBOX.c.id == event["id"])
    # When the books are closed, Then it is named with its customer and with what brings it.
    books = spoiler.close()
    finding = only(books)
    assert finding.kind == "lost"
    assert event["id"] in finding.sentence
    assert finding.onboarding_id == spoiler.customers[0]
    assert "`stappenplan replay activation --since " in finding.advice
    line = f"accepted {CUSTOMERS} · arrived {CUSTOMERS - 1} · lost 1 · doubled 0"
    assert (books.line, books.lost, books.balanced) == (line, 1, False)
    # The other hearers have it.
    assert figures(spoiler, COMPLETED, "billing")["arrived"] == CUSTOMERS


def test_what_is_missing_at_one_look_alone_is_on_its_way(spoiler: Spoiler) -> None:
    # Given a page that closes the books each second,
    event = spoiler.said("registration", COMPLETED)
    spoiler.take_away("activation", INBOX, INBOX.c.id == event["id"])
    began = datetime.now(UTC) - timedelta(minutes=30)
    # When something is missing for the first time, Then it is on its way;
    first = spoiler.close(since=began, pause=0)
    assert first.balanced
    assert figures(spoiler, COMPLETED, "activation", pause=0)["waiting"] == 1
    # When it is missing the second time, Then it is lost.
    assert kinds(spoiler.close(since=began, before=first)) == ["lost"]


def test_an_event_that_nobody_said_is_named(spoiler: Spoiler) -> None:
    # Given an event that was heard, and that its speaker has said no more,
    event = spoiler.said("registration", "administration.created.v1")
    spoiler.take_away("registration", OUTBOX, OUTBOX.c.id == event["id"])
    finding = only(books := spoiler.close())
    assert finding.kind == "unsaid"
    assert event["id"] in finding.sentence
    assert "heard by activation" in finding.sentence
    assert (books.unsaid, books.balanced) == (1, False)


def test_a_customer_whose_event_is_gone_from_its_outbox_is_lost_all_the_same(
    spoiler: Spoiler,
) -> None:
    # Given a sign-up whose event was deleted before anybody at registration heard it,
    event, customer = spoiler.said("signup", ACCEPTED), spoiler.customers[0]
    spoiler.take_away("registration", REGISTRATION, REGISTRATION.c.onboarding_id == customer)
    spoiler.take_away("registration", INBOX, INBOX.c.id == event["id"])
    spoiler.take_away("signup", OUTBOX, OUTBOX.c.id == event["id"])
    # When the books are closed, Then the customer is lost at registration,
    books = spoiler.close()
    lost = [finding for finding in books.findings if finding.kind == "lost"]
    assert [finding.onboarding_id for finding in lost] == [customer]
    assert "registration does not know of it" in lost[0].sentence
    assert (books.customers.arrived, books.customers.lost) == (CUSTOMERS - 1, 1)
    # And the order that nobody registered any more, and what activation heard, are named too.
    assert sorted(kinds(books)) == ["doubled", "lost", "unsaid"]


def test_a_second_order_of_a_customer_is_doubled(spoiler: Spoiler) -> None:
    (order,) = spoiler.rows("billing", ORDER, ORDER.c.onboarding_id == spoiler.customers[0])
    other = {**order, "onboarding_id": str(uuid4()), "reference": "O-2026-999999"}
    spoiler.add("billing", ORDER, other)
    finding = only(books := spoiler.close())
    assert finding.kind == "doubled"
    assert "O-2026-999999" in finding.sentence
    assert order["registered"]["customer_number"] in finding.sentence
    assert (books.customers.doubled, books.balanced) == (1, False)


def test_a_release_that_was_said_twice_is_doubled_and_a_later_revision_is_not(
    spoiler: Spoiler,
) -> None:
    # Given one release that stands in the outbox under two ids, and another of a later revision,
    released = spoiler.said("billing", RELEASED)
    later = json.loads(released["body"])
    later["data"]["revision"] += 7
    twin = with_id(released, str(uuid4()))
    spoiler.add("billing", OUTBOX, twin)
    heard = spoiler.rows("activation", INBOX, INBOX.c.id == released["id"])[0]
    spoiler.add("activation", INBOX, {**heard, "id": twin["id"]})
    finding = only(spoiler.close())
    # Then only the former is two effects for one.
    assert finding.kind == "doubled"
    assert "billing said customer.released.v1 with order_reference O-" in finding.sentence
    assert finding.onboarding_id == spoiler.customers[0]
    spoiler.change("billing", OUTBOX, twin, body=json.dumps(later).encode())
    assert spoiler.close().balanced


def test_two_references_for_one_customer_are_doubled(spoiler: Spoiler) -> None:
    (row,) = spoiler.rows(
        "activation", ACTIVATION, ACTIVATION.c.onboarding_id == spoiler.customers[0]
    )
    spoiler.change("activation", ACTIVATION, row, reference="S-2026-888888")
    books = spoiler.close()
    assert set(kinds(books)) == {"doubled"}
    assert f"{row['reference']} at signup and S-2026-888888 at activation" in (
        books.findings[0].sentence
    )
    assert books.customers.doubled == 1


def test_one_customer_number_for_two_is_doubled(spoiler: Spoiler) -> None:
    rows = spoiler.rows("registration", REGISTRATION, REGISTRATION.c.customer_number.is_not(None))
    spoiler.change(
        "registration", REGISTRATION, rows[0], customer_number=rows[1]["customer_number"]
    )
    sentences = [finding.sentence for finding in spoiler.close().findings]
    number = rows[1]["customer_number"]
    assert f"2 customers of registration have the customer number {number}" in sentences


@pytest.mark.parametrize(
    ("status", "column"), [("dead", "dead"), ("dropped", "dropped"), ("waiting", "waiting")]
)
def test_what_failed_is_dead_or_waiting_and_not_lost(
    spoiler: Spoiler, status: str, column: str
) -> None:
    event = spoiler.said("billing", RELEASED)
    (heard,) = spoiler.rows("activation", INBOX, INBOX.c.id == event["id"])
    far = datetime.now(UTC) + timedelta(hours=1)
    spoiler.change("activation", INBOX, heard, status=status, due_at=far)
    assert figures(spoiler, RELEASED, "activation") == {
        "said": CUSTOMERS,
        "arrived": CUSTOMERS - 1,
        "waiting": 0,
        "dead": 0,
        "dropped": 0,
        "lost": 0,
        column: 1,
    }
    assert spoiler.close().balanced


def refused(event: dict[str, Any], exchange: str) -> dict[str, Any]:
    """An event that its hearer refused, and keeps under a key of its contents."""
    key = REJECTED + "f" * 64
    return {
        "id": key,
        "type": event["type"],
        "subject": None,
        "digest": "f" * 64,
        "status": "dead",
        "received_at": datetime.now(UTC),
        "attempts": 1,
        "crashes": 0,
        "body": event["body"],
        "properties": json.dumps({"message_id": event["id"]}),
        "exchange": exchange,
        "error": "it makes no sense",
    }


def test_an_event_that_was_refused_is_dead_under_its_other_key(spoiler: Spoiler) -> None:
    event = spoiler.said("billing", RELEASED)
    spoiler.take_away("activation", INBOX, INBOX.c.id == event["id"])
    spoiler.add("activation", INBOX, refused(event, EXCHANGE))
    found = figures(spoiler, RELEASED, "activation")
    assert (found["dead"], found["lost"]) == (1, 0)


def test_a_stranger_cannot_hide_that_an_event_was_lost(spoiler: Spoiler) -> None:
    # Given a lost event, and a letter with its id that came by a website's exchange,
    event = spoiler.said("billing", RELEASED)
    spoiler.take_away("activation", INBOX, INBOX.c.id == event["id"])
    spoiler.add("activation", INBOX, refused(event, "stappenplan.website.0042"))
    found = figures(spoiler, RELEASED, "activation")
    assert (found["dead"], found["lost"]) == (0, 1)


def test_a_customer_with_a_dead_event_is_with_the_dead_and_not_lost(spoiler: Spoiler) -> None:
    # Given a customer whose release is a dead letter at activation, so that it is not known there,
    event, customer = spoiler.said("billing", RELEASED), spoiler.customers[0]
    (row,) = spoiler.rows("activation", ACTIVATION, ACTIVATION.c.onboarding_id == customer)
    facts = {slot: fact for slot, fact in row["facts"].items() if slot != "release"}
    spoiler.change("activation", ACTIVATION, row, facts=facts)
    (heard,) = spoiler.rows("activation", INBOX, INBOX.c.id == event["id"])
    spoiler.change("activation", INBOX, heard, status="dead")
    # When the books are closed, also long after its speaker has forgotten the event,
    for published_at in (event["published_at"], datetime.now(UTC) - timedelta(days=9)):
        spoiler.change("billing", OUTBOX, event, published_at=published_at)
        it = spoiler.close().customers
        # Then he has not arrived, and nothing is lost.
        assert (it.arrived, it.dead, it.lost) == (CUSTOMERS - 1, 1, 0)
    # And when the letter is gone without a trace, he is.
    spoiler.change("activation", INBOX, heard, status="done")
    assert spoiler.close().customers.lost == 1


def test_what_was_forgotten_after_its_week_is_not_lost(spoiler: Spoiler) -> None:
    event = spoiler.said("billing", RELEASED)
    spoiler.take_away("activation", INBOX, INBOX.c.id == event["id"])
    spoiler.change("billing", OUTBOX, event, published_at=datetime.now(UTC) - timedelta(days=8))
    assert spoiler.close().balanced


def test_what_may_lie_on_a_queue_is_not_lost_until_the_queue_has_passed_it(
    spoiler: Spoiler,
) -> None:
    # Given a broker whose queue nobody can look into, and an event that is in no inbox,
    unknown = Queues({}, timedelta(0))
    event = spoiler.said("billing", RELEASED)
    spoiler.take_away("activation", INBOX, INBOX.c.id == event["id"])
    found = figures(spoiler, RELEASED, "activation", queues=unknown)
    assert (found["waiting"], found["lost"]) == (1, 0)
    # When what was published well after it has arrived, Then it is on that queue no more.
    earlier = event["published_at"] - timedelta(minutes=6)
    spoiler.change("billing", OUTBOX, event, published_at=earlier)
    found = figures(spoiler, RELEASED, "activation", queues=unknown)
    assert (found["waiting"], found["lost"]) == (0, 1)


def test_only_what_came_since_then_is_looked_at(spoiler: Spoiler) -> None:
    nothing = spoiler.close(since=datetime.now(UTC))
    assert nothing.line == "accepted 0 · arrived 0 · lost 0 · doubled 0"
    assert sum(pair.said for pair in nothing.pairs) == 0
    everything = spoiler.close(since=datetime.now(UTC) - timedelta(hours=1))
    assert everything.customers == spoiler.close().customers
    assert everything.pairs == spoiler.close().pairs
