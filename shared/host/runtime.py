"""A service at work: its database, its line to the broker, its threads, its requests."""

import time
from contextlib import suppress

from shared.base.errors import InfrastructureDown, StappenplanError
from shared.host.requests import Requests
from shared.host.role import Role
from shared.host.service import Service
from shared.host.settings import Settings
from shared.host.tasks import Tasks
from shared.host.timekeeping import Timekeeper
from shared.messaging.bus import Bus
from shared.notifications.delivery.sender import NotificationSender
from shared.notifications.queue import NotificationSink
from shared.notifications.rendering.template_files import missing_templates
from shared.notifications.senders.protocol import Senders
from shared.persistence.clock import Clock, Machine, utc_now
from shared.persistence.database import Database
from shared.persistence.schema import upgrade
from shared.processing.decoding import PublisherRules
from shared.processing.engine import Engine
from shared.processing.unit_of_work import translate_errors
from shared.processing.worker.company import Company
from shared.processing.worker.consumer import CONSUMERS, Consumer
from shared.processing.worker.periodic import PeriodicTask, Signal

__all__ = ["Runtime", "utc_now"]

STOP_SECONDS = 20.0
"""How long `stop` waits for the work in hand."""


class Runtime(Requests):
    """Runs one service; `start` and `stop` are for the runner, the rest for its routes.

    Its time is its database's, unless it is given another `clock`.
    """

    def __init__(
        self,
        service: Service,
        settings: Settings,
        bus: Bus,
        senders: Senders,
        publishers: PublisherRules,
        clock: Clock | None = None,
        only: Role | None = None,
        machine: Machine | None = None,
    ) -> None:
        self.service = service
        self.settings = settings
        self.database = Database(settings.database_url_of(service.name), settings.database_pool)
        self.bus = bus
        self._timekeeper = Timekeeper(service.name, self.database, clock, machine)
        self.clock = clock = self._timekeeper.clock
        notify = Signal()
        self.engine = Engine(
            service.name,
            service.subscriptions,
            database=self.database,
            bus=bus,
            clock=clock,
            publishers=publishers,
            resources=service.resources,
            series=service.series,
            sinks=[NotificationSink(notify.wake)],
        )
        self.sender = NotificationSender(
            service.name,
            service.notification_kinds,
            service.templates,
            settings.page_links,
            senders,
            self.engine.transactions,
            clock,
        )
        company = Company()
        self._consumers = [
            Consumer(service.name, bus, self.engine, company)
            for _ in range(_consumer_count(self.database, only))
        ]
        self.tasks = Tasks(self.engine, self.sender, bus, self._timekeeper, notify, only)
        self._delivers_only = only is Role.DELIVER

    # For the runner.

    def prepare(self) -> None:
        """Bring the database up to date, and write what ships with the product.

        Any number of replicas may do so at one moment.

        Raises:
            StappenplanError: the database is not this service's, or its schema cannot be changed;
                or a template is missing, so that some mail could never be sent.
        """
        self._require_templates()
        upgrade(self.database, self.service.migrations)
        with translate_errors():
            self._timekeeper.measure()
        if self.service.at_start:
            self.service.at_start(self)

    def open(self) -> None:
        """Connect to the broker, once all is prepared; what comes from there waits for `begin`."""
        if self.settings.embedded:
            # A sole process: whatever is unpublished was left behind by one that is gone.
            self.engine.publisher.release_leases()
        self.bus.open()

    def begin(self) -> None:
        """Begin to work."""
        for thread in self._threads:
            thread.start()

    def _require_templates(self) -> None:
        missing = missing_templates(self.service.templates, self.service.notification_kinds)
        if missing:
            raise StappenplanError(
                f"{self.service.name} is not installed completely, and could not send all its "
                f"mails: {'; '.join(missing)}. Install Stappenplan again"
            )

    def interrupt(self) -> None:
        """Ask every thread to stop after the work in hand."""
        self.sender.stopping.set()
        for thread in self._threads:
            thread.stop()

    def stop(self, patience: float = STOP_SECONDS) -> None:
        """Finish the work in hand, take no more, hang up; after `patience` seconds, hang up."""
        self.interrupt()
        deadline = time.monotonic() + patience
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, deadline - time.monotonic()))
        self.bus.close()
        # What the broker confirmed at the last moment need not be published again.
        with suppress(InfrastructureDown), translate_errors():
            self.engine.publisher.flush_confirms()
        self.database.close()

    @property
    def _threads(self) -> list[Consumer | PeriodicTask]:
        return [*self._consumers, *self.tasks]

    def at_work(self) -> list[str]:
        """The threads that are still at work, by name."""
        return [thread.name for thread in self._threads if thread.is_alive()]

    def healthy(self) -> bool:
        """Whether no thread has died."""
        return all(thread.is_alive() or thread.ident is None for thread in self._threads)

    def check_handlers(self) -> bool:
        """Check the handlers; whether the process must end, since one of them hangs.

        What hangs is broken off and on record; see `shared.processing.worker.watchdog`.
        """
        return self.engine.check_handlers()

    def broker_silent(self) -> bool:
        """Whether it has not heard its broker for longer than any connection takes to recover."""
        return self.bus.silent_for() > self.settings.broker_silence_seconds

    def not_ready_reasons(self) -> list[str]:
        """What keeps this service from working now, in words; nothing when it is ready."""
        reasons = []
        if not self.database.answers():
            reasons.append("the database does not answer")
        if trouble := self.bus.trouble():
            reasons.append(trouble)
        if (clocks := self._timekeeper.not_ready_reason()) is not None:
            reasons.append(clocks)
        if any(thread.paused for thread in self._consumers):
            reasons.append("consumption is paused")
        if self._delivers_only and self.tasks.notifications.paused:
            reasons.append("delivery is paused")
        return reasons

    def wake(self) -> None:
        """Look at once for what is due: somebody has just retried a message or a mail."""
        self.tasks.due.wake()
        self.tasks.notifications.wake()


def _consumer_count(database: Database, only: Role | None) -> int:
    if only is Role.DELIVER:
        return 0
    # SQLite has one writer at a time: a second thread would only queue up behind the first.
    return 1 if database.is_sqlite else CONSUMERS
