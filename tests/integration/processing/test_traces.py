"""A trace goes on in whatever a message leads to, however late and by whomever it is done."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from shared.events import CustomerLoggedIn
from shared.messaging.bus import Incoming, PublishResult
from shared.notifications.tables import Notification
from shared.processing import Effect, Message
from shared.processing.retry_policy import OUTBOX_LEASE
from shared.processing.testing import RecordingBus
from tests.integration.processing.conftest import MakeReplica
from tests.integration.processing.tally import START, Remind, Replica, release

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
HEADERS = {"traceparent": TRACE}


def traced(message: Incoming) -> Incoming:
    """The message as part of a trace."""
    event = json.loads(message.body) | HEADERS
    return replace(message, body=json.dumps(event).encode())


def test_what_is_said_bears_the_trace_as_a_header_and_in_the_event(replica: Replica) -> None:
    # When an event of a trace comes, and one of none,
    replica.take(traced(release("bakkerij")), release("slager"))
    # Then what was said upon the one belongs to its trace.
    heads = [message.headers for message in replica.bus.published]
    documents = [json.loads(message.body) for message in replica.bus.published]
    assert sorted(heads, key=len) == [{}, HEADERS]
    assert [document.get("traceparent") for document in documents] == [
        head.get("traceparent") for head in heads
    ]


def test_what_the_broker_did_not_confirm_is_published_again_in_its_trace(
    replica: Replica,
) -> None:
    # Given an event of a trace that the broker does not confirm,
    replica.bus.result = PublishResult.UNKNOWN
    replica.take(traced(release("bakkerij")))
    replica.sweep()
    # When the sweeper publishes it again,
    replica.sweep(timedelta(seconds=2))
    # Then it is the same in everything, but that it may have come before.
    first, again = replica.bus.published
    assert first.headers == HEADERS
    assert again == replace(first, repeated=True)


def test_what_a_dead_replica_left_is_published_in_its_trace(make_replica: MakeReplica) -> None:
    # Given events of a replica that died before the broker answered, one without a trace,
    dead, living = make_replica(RecordingBus(PublishResult.UNKNOWN)), make_replica()
    dead.take(traced(release("bakkerij")), release("slager"))
    # When another publishes them, Then each has the headers that it would have had.
    living.sweep(OUTBOX_LEASE + timedelta(seconds=1))
    headers = {message.id: message.headers for message in dead.bus.published}
    assert {message.id: message.headers for message in living.bus.published} == headers
    assert sorted(headers.values(), key=len) == [{}, HEADERS]


def test_a_scheduled_command_and_what_it_leads_to_belong_to_its_causes_trace(
    replica: Replica,
) -> None:
    # Given a command that an event of a trace has led to,
    traces: list[str | None] = []

    def remind(message: Message, *_: Any) -> Sequence[Effect]:
        traces.append(message.envelope.traceparent)
        return [CustomerLoggedIn(login_name="x", first_login_at=START)]

    replica.handlers[Remind.command_type] = remind
    replica.take(traced(release("bakkerij", "soon-1")))
    # When its time has come,
    assert replica.run_due(timedelta(seconds=30)) == 1
    # Then its handler is told the trace, and what it says bears it.
    assert traces == [TRACE]
    assert [message.headers for message in replica.bus.published] == [HEADERS, HEADERS]


def test_a_mail_keeps_the_trace_of_what_it_was_written_for(replica: Replica) -> None:
    replica.take(traced(release("bakkerij", "mail-1")))
    with replica.database.read() as session:
        mails = session.execute(select(Notification)).scalars()
        assert [mail.traceparent for mail in mails] == [TRACE]
