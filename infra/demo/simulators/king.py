"""A stand-in for KING's billing: hears `collection.requested`, says `collection.result`.

It speaks only the public contract. What it reports goes by the payer's account (`fates`): most
pay, some fail first, or have the money back after the release.
"""

import threading
import time
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import partial
from uuid import UUID, uuid5

import structlog
from pydantic import ValidationError

from infra.demo.simulators.fates import Plan, Report, by_account
from shared.base.errors import Malformed
from shared.events import KING_QUEUE, CollectionRequested, CollectionResult
from shared.events.envelope import CONTENT_TYPE, NAMESPACE, Envelope
from shared.events.king import CollectionStatus
from shared.messaging.bus import EXCHANGE, Bus, Incoming, Outgoing, PublishResult
from shared.processing.decoding import open_message

log = structlog.get_logger()

BILLING = CollectionRequested.said_by
"""The broker user that may ask KING to collect."""

MOST_WAIT = 30.0
"""Seconds of waiting for a request before it looks round."""


class KingBilling:
    """Collects whatever it is asked to, at once, unless its `plan` says otherwise.

    With `strict` it is asked only by what the broker vouches for (`reason_to_refuse`); `refusals`
    are the reasons why it did not do what some message asked for.
    """

    def __init__(self, bus: Bus, plan: Plan | None = None, *, strict: bool = False) -> None:
        self.name = KING_QUEUE
        self._bus = bus
        self._strict = strict
        self.refusals: list[str] = []
        self.plan = plan or by_account
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._unreported: list[Incoming] = []
        self._later: list[tuple[float, Incoming, list[Outgoing]]] = []
        self.requests: list[CollectionRequested] = []
        self.reported_at: dict[str, datetime] = {}

    def start(self) -> None:
        """Begin to collect."""
        self._bus.open()
        self._thread.start()

    def stop(self) -> None:
        """Collect no more."""
        self._stopping.set()
        self._bus.interrupt()
        if self._thread.is_alive():
            self._thread.join(10)
        self._bus.close()

    def report(
        self,
        request: CollectionRequested,
        subject: str,
        status: CollectionStatus,
        reason_code: str | None = None,
    ) -> bool:
        """Report something more of a collection, such as a reversal; whether the broker has it."""
        result = _result_of(request, Report(status, reason_code), datetime.now(UTC))
        key = f"{request.end_to_end_id}/{status}/{reason_code}"
        return self._bus.publish([say(result, subject, key)]).result(30) == [
            PublishResult.CONFIRMED
        ]

    def _run(self) -> None:
        while not self._stopping.is_set():
            for incoming in self._bus.receive(100, wait=self._until_next(), linger=0.0):
                self._answer(incoming)
            self._report_due()
            again, self._unreported = self._unreported, []
            if again and not self._stopping.wait(1.0):
                for incoming in again:
                    self._answer(incoming)

    def _answer(self, incoming: Incoming) -> None:
        """Report on one request; it is acknowledged only when the broker has the report."""
        try:
            envelope = self._read(incoming)
            request = self._asked_for(envelope)
        except Malformed as refusal:
            log.warning("king_refused", reason=str(refusal))
            self.refusals.append(str(refusal))
            self._bus.acknowledge([incoming])
            return
        if request is None:
            self._bus.acknowledge([incoming])  # A cancellation: this one has collected already.
            return
        self.requests.append(request)
        self.reported_at[request.order_reference] = datetime.now(UTC)
        reports = list(enumerate(self.plan(request)))
        now = [self._result(envelope, request, *at) for at in reports if not at[1].after]
        later = [at for at in reports if at[1].after]
        for at in later:
            due = time.monotonic() + at[1].after.total_seconds()
            self._later.append((due, incoming, [self._result(envelope, request, *at)]))
        self._publish(incoming, now, last=not later)

    def _publish(self, incoming: Incoming, results: list[Outgoing], *, last: bool) -> None:
        """Report; with the `last` of its reports confirmed, a request is done with."""
        if results:
            self._bus.publish(results).add_done_callback(partial(self._reported, incoming, last))
        elif last:
            self._bus.acknowledge([incoming])  # Nothing is ever heard of it.

    def _report_due(self) -> None:
        """Report what happens only some time after the request.

        The request is not acknowledged until then: when this ends before, it comes again.
        """
        now = time.monotonic()
        due = [entry for entry in self._later if entry[0] <= now]
        self._later = [entry for entry in self._later if entry[0] > now]
        waiting = {id(incoming) for _, incoming, _ in self._later}
        for _, incoming, results in due:
            self._publish(incoming, results, last=id(incoming) not in waiting)

    def _until_next(self) -> float:
        now = time.monotonic()
        return max(0.0, min((due - now for due, _, _ in self._later), default=MOST_WAIT))

    def _read(self, incoming: Incoming) -> Envelope:
        envelope = open_message(incoming)
        if self._strict and (reason := reason_to_refuse(incoming, envelope.type)):
            raise Malformed(reason)
        return envelope

    def _asked_for(self, envelope: Envelope) -> CollectionRequested | None:
        """The collection that is asked for; None when it is something else that was said."""
        if envelope.type != CollectionRequested.event_type:
            return None
        try:
            return CollectionRequested.model_validate(envelope.data)
        except ValidationError as fault:
            missing = fault.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in missing["loc"])
            raise Malformed(f"its data cannot be read: {where}: {missing['msg']}") from None

    def _reported(
        self, incoming: Incoming, last: bool, done: "Future[list[PublishResult]]"
    ) -> None:
        results = [] if done.exception() else done.result()
        if results and all(result is PublishResult.CONFIRMED for result in results):
            if last:
                self._bus.acknowledge([incoming])
            return
        log.warning("king_report_unconfirmed", results=[result.value for result in results])
        self._unreported.append(incoming)
        self._bus.interrupt()

    def _result(
        self, envelope: Envelope, request: CollectionRequested, position: int, report: Report
    ) -> Outgoing:
        # A request that comes again gets the same answer: one id, one contents.
        result = _result_of(request, report, envelope.time + report.after)
        return say(result, envelope.subject, f"{envelope.id}/{position}", envelope.id)


def reason_to_refuse(incoming: Incoming, event_type: str) -> str | None:
    """Why a message in KING's queue is no true request; None when it is one.

    It must have come by the exchange on which only services speak, under the routing key of its
    type, and published by billing's own user. Exchange and key stand in `basic.deliver`; for the
    property `user_id` the broker vouches, who compares it with the user that logged in.
    """
    if incoming.exchange != EXCHANGE:
        return f"it came by the exchange {incoming.exchange!r}, and not by {EXCHANGE}"
    if incoming.routing_key != event_type:
        return f"it says {event_type}, and came by the routing key {incoming.routing_key!r}"
    if incoming.user_id != BILLING:
        return f"it was published by user {incoming.user_id or 'nobody'}, and not by {BILLING}"
    return None


def _result_of(
    request: CollectionRequested, report: Report, occurred_at: datetime
) -> CollectionResult:
    return CollectionResult(
        order_reference=request.order_reference,
        end_to_end_id=request.end_to_end_id,
        attempt=request.attempt,
        amount_cents=request.amount_cents,
        currency=request.currency,
        status=report.status,
        reason_code=report.reason_code,
        occurred_at=occurred_at,
    )


def say(result: CollectionResult, subject: str, key: str, cause: str | None = None) -> Outgoing:
    """A result as KING puts it on the wire."""
    envelope = Envelope(
        id=str(uuid5(NAMESPACE, f"king-billing/{key}")),
        source="/king-billing",
        type=result.event_type,
        subject=str(UUID(subject)),
        time=datetime.now(UTC),
        data=result.model_dump(mode="json", exclude_none=True),
        causationid=cause,
    )
    return Outgoing(envelope.id, envelope.type, envelope.to_bytes(), content_type=CONTENT_TYPE)
