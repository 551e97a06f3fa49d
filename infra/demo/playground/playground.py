"""What the page of the first run can do: doors, customers on their way, faults, the books."""

import os
import signal
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlmodel import col, select

from infra.demo.playground.journeys import Journeys
from infra.demo.playground.mailbox import Mailbox
from infra.demo.playground.outage import Outage
from infra.demo.simulators.fates import PAID, SUBMITTED, Report, by_account
from infra.demo.simulators.king import KingBilling
from services.billing.models import Order
from shared.events import CollectionRequested
from shared.host.runtime import Runtime
from shared.links import Purpose
from shared.messaging.bus import Bus, Outgoing

if TYPE_CHECKING:
    from infra.demo.demonstration import Demonstration
    from infra.operations.audit.books import Books
    from infra.run.supervisor import Supervisor

MAIL_OUTAGE_SECONDS = 20.0
BOOKS_SINCE = timedelta(hours=1)
BOOKS_EVERY = timedelta(seconds=1)
BEFORE_THE_END_SECONDS = 0.5
"""The answer that says so still gets away."""


@dataclass
class _Ledger:
    books: "Books | None" = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Playground:
    """One process with everything in it, as the page of the first run plays with it.

    `king` is KING's stand-in, None where somebody else plays KING.
    """

    def __init__(self, supervisor: "Supervisor", king: KingBilling | None) -> None:
        self._supervisor, self.king = supervisor, king
        self.outage = Outage()
        self.journeys = Journeys(self._demonstration, self._line)
        self._ledger = _Ledger()
        self._website: Bus | None = None
        self._rejections = 0
        if king is not None:
            king.plan = self._plan

    @property
    def runtimes(self) -> Sequence[Runtime]:
        """The services."""
        return self._supervisor.runtimes

    @property
    def mailbox(self) -> Mailbox:
        """What was mailed and texted."""
        settings = self._supervisor.settings
        return Mailbox(settings.data_dir, settings.sms_sender)

    def runtime(self, name: str) -> Runtime:
        """One service."""
        return next(runtime for runtime in self.runtimes if runtime.service.name == name)

    # Doors.

    def payers_path(self) -> str | None:
        """The page of a payer whose signature is waited for, if there is one: the latest."""
        query = (
            select(Order.onboarding_id)
            .where(Order.stage == "unsigned", col(Order.reference).is_not(None))
            .order_by(col(Order.reference).desc())
            .limit(1)
        )
        billing = self.runtime("billing")
        with billing.reading() as session:
            found = session.exec(query).first()
        if found is None:
            return None
        links = billing.settings.page_links()
        return links.path(Purpose.SIGN, found, billing.clock())

    # Faults.

    def reject_at_the_bank(self) -> None:
        """Have the bank refuse the next direct debit for lack of funds."""
        self._rejections += 1

    def _plan(self, request: CollectionRequested) -> Sequence[Report]:
        if self._rejections and by_account(request) == PAID:
            self._rejections -= 1
            return (SUBMITTED, Report("failed", "AM04"))
        return by_account(request)

    def send_rubbish(self) -> None:
        """Publish what no service can read, as a website might."""
        body = b'{"specversion": "1.0", "type": "signup.submitted.v1", "data": {"customer": 42'
        self._line().publish([Outgoing(str(uuid4()), "signup.submitted.v1", body)]).result(30)

    def kill_the_process(self) -> None:
        """End this process as a power cut would, as soon as the answer has left."""
        threading.Timer(BEFORE_THE_END_SECONDS, os.kill, [os.getpid(), signal.SIGKILL]).start()

    # What is shown.

    def books(self) -> "Books":
        """The books of the last hour, at most a second old."""
        from infra.operations.audit.closing import close_books
        from infra.operations.audit.queues import queues_of

        with self._ledger.lock:
            before = self._ledger.books
            now = datetime.now(UTC)
            if before is None or now - before.at > BOOKS_EVERY:
                ledgers = {
                    runtime.service.name: (runtime.service, runtime.database)
                    for runtime in self.runtimes
                }
                queues = queues_of(self._supervisor.settings)
                self._ledger.books = close_books(
                    ledgers, queues, since=now - BOOKS_SINCE, before=before, pause=0.0
                )
            assert self._ledger.books is not None  # noqa: S101 - closed just above.
            return self._ledger.books

    def _demonstration(self) -> "Demonstration":
        from infra.demo.demonstration import Demonstration

        settings = self._supervisor.settings
        everywhere = dict.fromkeys(
            (runtime.service.name for runtime in self.runtimes), self._supervisor.address
        )
        if self.king is None:
            raise RuntimeError("nobody plays KING here")
        return Demonstration(everywhere, settings.signing_key(), settings.data_dir, self.king)

    def _line(self) -> Bus:
        if self._website is None:
            self._website = self._supervisor.buses.bus("website", consume=False)
            self._website.open()
        return self._website
