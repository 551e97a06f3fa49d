"""Loading what a batch needs and running its handlers: no broker, no commit."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, SQLModel

from shared.processing.messages import Delivery, Now
from shared.processing.numbers import Numbers
from shared.processing.service import Service
from shared.processing.speech import Utterance
from shared.processing.subscriptions import Batch, Loaded, wire


class Handling:
    """One service's handlers, wired to what they ask for."""

    def __init__(self, service: Service, numbers: Numbers) -> None:
        resources = {**service.resources, Numbers: numbers}
        self._calls = {one.type: wire(one, resources) for one in service.subscriptions}
        self._loads = {one.type: tuple(one.loads) for one in service.subscriptions}

    def run(self, session: Session, deliveries: Sequence[Delivery], now: Now) -> list[Utterance]:
        """Run the handlers in order, flush what they changed, and return what they said."""
        batch = self._load(session, deliveries)
        said = [
            (one.envelope, self._calls[one.envelope.type](one, batch, now)) for one in deliveries
        ]
        for loaded in batch.values():
            session.add_all(loaded.added)
        session.flush()
        return said

    def _load(self, session: Session, deliveries: Sequence[Delivery]) -> Batch:
        """One query for each model and column that the batch's subscriptions declare."""
        wanted: dict[tuple[type[SQLModel], str, bool], set[Any]] = {}
        batch: dict[type[SQLModel], Loaded[Any]] = {}
        for delivery in deliveries:
            for load in self._loads[delivery.envelope.type]:
                batch.setdefault(load.model, Loaded())
                keys = wanted.setdefault((load.model, load.column, load.lock), set())
                keys.update(load.keys(delivery))
        for (model, column, lock), keys in wanted.items():
            if keys:
                batch[model].merge(_fetch(session, model, column, keys, lock=lock))
        return batch


def _fetch(
    session: Session, model: type[SQLModel], column: str, keys: set[Any], *, lock: bool
) -> Iterable[SQLModel]:
    table = model.__table__  # type: ignore[attr-defined]
    # Locks are taken in the order of the primary key, so that replicas do not deadlock.
    statement = select(model).where(table.c[column].in_(sorted(keys)))
    statement = statement.order_by(*table.primary_key.columns)
    if lock:
        statement = statement.with_for_update(of=model)
    return session.execute(statement).scalars().all()
