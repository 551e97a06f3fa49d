"""How much there is of everything, counted in each service's database, and never waited for long.

A database that is away answers nothing, or says so late. Whoever asks for numbers is told what is
known without it, in time for whoever watches.
"""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col

from shared.host.runtime import Runtime
from shared.notifications.tables import FAILED, Notification
from shared.notifications.tables import WAITING as UNSENT
from shared.processing.store.tables import DEAD, WAITING, Inbox, Outbox

COUNT_SECONDS = 2.0
"""For all databases together. Prometheus waits ten seconds for an answer, by its default."""


@dataclass(frozen=True)
class QueueDepths:
    """What waits and what is dead. Done rows are not counted: that would read them all."""

    inbox: dict[str, int]
    notifications: dict[str, int]
    unpublished: int


@dataclass(frozen=True)
class Seen:
    """What one service's database tells: whether it can work, and how much there is to do."""

    ready: bool
    depths: QueueDepths


def count(session: Session) -> QueueDepths:
    """Count through the partial indexes, whatever the size of the tables."""
    return QueueDepths(
        inbox={
            status: _how_many(session, Inbox, col(Inbox.status) == status)
            for status in (WAITING, DEAD)
        },
        notifications={
            status: _how_many(session, Notification, col(Notification.status) == status)
            for status in (UNSENT, FAILED)
        },
        unpublished=_how_many(session, Outbox, col(Outbox.published_at).is_(None)),
    )


def _how_many(session: Session, table: type, condition: object) -> int:
    statement = select(func.count()).select_from(table).where(condition)  # type: ignore[arg-type]
    return int(session.execute(statement).scalar_one())


class Counting:
    """Counts for services side by side, each on a thread of its own, one at a time."""

    def __init__(self, runtimes: Sequence[Runtime]) -> None:
        self.runtimes = runtimes
        self._under_way: dict[str, Future[Seen | None]] = {}

    def take(self) -> dict[str, Seen | None]:
        """What is seen by service, after at most two seconds; None where the database is away."""
        deadline = time.monotonic() + COUNT_SECONDS
        for runtime in self.runtimes:
            before = self._under_way.get(runtime.service.name)
            if before is None or before.done():
                self._under_way[runtime.service.name] = _begin(runtime)
        wait(self._under_way.values(), max(0.0, deadline - time.monotonic()))
        return {
            name: future.result() if future.done() else None
            for name, future in self._under_way.items()
        }


def _begin(runtime: Runtime) -> "Future[Seen | None]":
    future: Future[Seen | None] = Future()

    def look() -> None:
        try:
            future.set_result(_see(runtime))
        except BaseException as error:
            future.set_exception(error)

    # A daemon: a process that ends does not wait for a database that never answers.
    threading.Thread(target=look, name=f"{runtime.service.name}-count", daemon=True).start()
    return future


def _see(runtime: Runtime) -> Seen | None:
    try:
        with runtime.reading() as session:
            depths = count(session)
    except SQLAlchemyError:
        return None
    return Seen(not runtime.not_ready_reasons(), depths)
