"""Closing the books: every look that an audit takes, in its order, and what it amounts to.

Several databases cannot be read at one moment. So speakers are read before hearers, and nothing
is called lost that was not missing twice.
"""

import threading
from collections.abc import Iterable
from datetime import datetime, timedelta

from infra.operations.audit.books import Books, Customers, Ledgers, Pair, SuspectKey
from infra.operations.audit.customers import (
    all_signups,
    in_pages,
    look_at_customers,
    signups_since,
)
from infra.operations.audit.deliveries import DeliveryCheck, Tell, still_missing
from infra.operations.audit.doubles import find_doubles
from infra.operations.audit.findings import heard_unsaid, lost_customer, lost_event
from infra.operations.audit.outside import beside, outside_pairs
from infra.operations.audit.queues import Queues
from infra.operations.audit.unsaid import find_unsaid
from shared.persistence.clock import database_now, utc_now

BETWEEN_LOOKS_SECONDS = 2.0
MARGIN = timedelta(seconds=60)
"""By which a second look begins before the first: published rows are marked a little later."""


def close_books(
    ledgers: Ledgers,
    queues: Queues,
    *,
    since: datetime | None = None,
    before: Books | None = None,
    pause: float = BETWEEN_LOOKS_SECONDS,
    tell: Tell = lambda _what, _count: None,
) -> Books:
    """Close the books over these services while they run.

    With `since` only what came or was published since then is looked at, through indexes alone: a
    page may call it each second, with a `pause` of 0 and the books of `before`, which are then the
    first of the two looks. Otherwise the second look follows after the pause, if anything was
    missing.

    Raises:
        SQLAlchemyError: a database is away.
    """
    now = _now(ledgers)
    closing = _Closing(ledgers, queues, now, since, tell)
    if before is not None:
        return closing.books(closing.suspects & before.suspects)
    if closing.suspects and pause:
        threading.Event().wait(pause)
        return closing.books(closing.look_again())
    return closing.books(frozenset())


def _now(ledgers: Ledgers) -> datetime:
    """By the time of a database: what is on its way is told from what is late by its stamps."""
    for _, database in ledgers.values():
        return database_now(database)
    return utc_now()


class _Closing:
    """The first look at everything, and what is made of it."""

    def __init__(
        self, ledgers: Ledgers, queues: Queues, now: datetime, since: datetime | None, tell: Tell
    ) -> None:
        self._ledgers, self._queues, self._tell = ledgers, queues, tell
        self._now, self._since = now, since
        self._deliveries = DeliveryCheck(ledgers, queues, now, since, tell).look()
        ids = all_signups(ledgers) if since is None else signups_since(ledgers, since)
        self._customers = look_at_customers(ledgers, self._deliveries.unfinished, ids, tell)
        self._unsaid = find_unsaid(ledgers, now, since, tell)
        tell("what happened twice", 0)
        self._doubles = [*self._customers.findings, *find_doubles(ledgers, since)]

    @property
    def suspects(self) -> frozenset[SuspectKey]:
        """What was missing at this look."""
        return frozenset({*self._deliveries.suspects, *self._customers.suspects})

    def look_again(self) -> frozenset[SuspectKey]:
        """What of it is still missing; events that were said meanwhile are on their way."""
        began = self._now - MARGIN
        recent = DeliveryCheck(
            self._ledgers, self._queues, _now(self._ledgers), began, self._tell
        ).look()
        ids = {key.id for key in self._customers.suspects}
        again = look_at_customers(self._ledgers, recent.unfinished, in_pages(ids), self._tell)
        missing = still_missing(self._ledgers, self._deliveries.suspects)
        return frozenset({*missing, *(self._customers.suspects.keys() & again.suspects.keys())})

    def books(self, confirmed: frozenset[SuspectKey]) -> Books:
        """The outcome, where these were missing twice."""
        events, customers = self._deliveries.suspects, self._customers.suspects
        lost = [lost_event(key, it) for key, it in events.items() if key in confirmed]
        lost += [lost_customer(key, by) for key, by in customers.items() if key in confirmed]
        unsaid = [heard_unsaid(key, it) for key, it in self._unsaid.items()]
        return Books(
            self._now,
            self._since,
            customers=self._count_customers(confirmed),
            pairs=[*outside_pairs(self._ledgers, self._since), *self._count_events(confirmed)],
            beside={} if self._since else beside(self._ledgers),
            findings=[*lost, *self._doubles, *unsaid],
            unsaid=len(unsaid),
            doubled=len(self._doubles),
            suspects=self.suspects,
        )

    def _count_events(self, confirmed: frozenset[SuspectKey]) -> Iterable[Pair]:
        for key in self._deliveries.suspects:
            pair = self._deliveries.pairs[key.event, key.at]
            if key in confirmed:
                pair.lost += 1
            else:
                pair.under_way += 1
        return self._deliveries.pairs.values()

    def _count_customers(self, confirmed: frozenset[SuspectKey]) -> Customers:
        """The figures, with those lost of whom an event is, even one that told nothing new."""
        figures = self._customers.figures
        unknown = {key.id for key in self._customers.suspects if key in confirmed}
        figures.waiting -= len(unknown)
        figures.lost += len(unknown)
        events = self._deliveries.suspects.items()
        about = {it.subject for key, it in events if key in confirmed} - self._customers.incomplete
        if about:
            known = look_at_customers(self._ledgers, {}, in_pages(about), self._tell)
            figures.arrived -= known.figures.arrived
            figures.lost += known.figures.arrived
        figures.doubled = len({it.onboarding_id for it in self._doubles if it.onboarding_id})
        return figures
