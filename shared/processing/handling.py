"""Loading what a batch needs and running its handlers: no broker, no commit."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, SQLModel

from shared.database import among, insert_entities
from shared.processing.messages import Delivery, Now
from shared.processing.numbers import Numbers
from shared.processing.service import Service
from shared.processing.speech import Utterance
from shared.processing.subscriptions import Batch, Load, Loaded, wire
from shared.processing.watch import Work


class Handling:
    """One service's handlers, wired to what they ask for."""

    def __init__(self, service: Service, numbers: Numbers) -> None:
        resources = {**service.resources, Numbers: numbers}
        self._calls = {one.type: wire(one, resources) for one in service.subscriptions}
        self._loads = {one.type: tuple(one.loads) for one in service.subscriptions}

    def run(
        self, session: Session, deliveries: Sequence[Delivery], now: Now, work: Work
    ) -> list[Utterance]:
        """Run the handlers in order, flush what they changed, and return what they said.

        `work` is told whose handler runs, for whoever watches over it.
        """
        batch = self._load(session, deliveries)
        said: list[Utterance] = []
        for one in deliveries:
            work.delivery = one
            said.append((one.envelope, self._calls[one.envelope.type](one, batch, now)))
        work.over()
        for loaded in batch.values():
            insert_entities(session, loaded.added)
        session.flush()
        return said

    def _load(self, session: Session, deliveries: Sequence[Delivery]) -> Batch:
        """Load in stages: one query for each load that the batch's subscriptions declare.

        Subscriptions that declare the very same load share its query.
        """
        plans = [(one, self._loads[one.envelope.type]) for one in deliveries]
        batch: dict[type[SQLModel], Loaded[Any]] = {
            load.model: Loaded() for _, loads in plans for load in loads
        }
        for stage in range(max((len(loads) for _, loads in plans), default=0)):
            wanted: dict[Load, set[Any]] = {}
            for delivery, loads in plans:
                if stage < len(loads):
                    keys = loads[stage].keys(delivery, batch)
                    wanted.setdefault(loads[stage], set()).update(keys)
            for load, together in wanted.items():
                if together:
                    batch[load.model].merge(_fetch(session, load, together))
        return batch


def _fetch(session: Session, load: Load, keys: set[Any]) -> Iterable[SQLModel]:
    table = load.model.__table__  # type: ignore[attr-defined]
    # Locks are taken in the order of the primary key, so that replicas do not deadlock.
    statement = select(load.model).where(among(session, table.c[load.column], sorted(keys)))
    statement = statement.order_by(*table.primary_key.columns)
    if load.only is not None:
        statement = statement.where(load.only)
    if load.lock:
        statement = statement.with_for_update(of=load.model)
    return session.execute(statement).scalars().all()
