"""Who has still to acknowledge what: how the embedded bus knows that a message is confirmed."""

import itertools
from collections.abc import Set
from dataclasses import dataclass

from shared.messaging.batches import PendingBatch
from shared.messaging.bus import PublishResult


@dataclass(slots=True, eq=False)
class UnackedPublish:
    """One published message and the queues that have not yet acknowledged it.

    Its result is the one with `index` in its `batch`.
    """

    number: str
    publisher: object
    batch: PendingBatch
    index: int
    repeated: bool
    awaited: set[str]


class UnackedPublishes:
    """The messages that are under way.

    Not locked: its broker is. What a method returns are the batches that are complete now, to
    be resolved once the lock is free.
    """

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._by_number: dict[str, UnackedPublish] = {}

    def __len__(self) -> int:
        """How many messages are under way."""
        return len(self._by_number)

    def add(
        self, publisher: object, batch: PendingBatch, index: int, *, repeated: bool, to: Set[str]
    ) -> UnackedPublish:
        """Remember a message until each of the queues has acknowledged it."""
        number = str(next(self._numbers))
        publish = UnackedPublish(number, publisher, batch, index, repeated, set(to))
        self._by_number[number] = publish
        return publish

    def get(self, number: str) -> UnackedPublish:
        """The message with this number."""
        return self._by_number[number]

    def acknowledge(self, publish: UnackedPublish, queue: str) -> list[PendingBatch]:
        """Note that one queue has dealt with it; the last one makes it confirmed."""
        publish.awaited.discard(queue)
        if publish.awaited:
            return []
        del self._by_number[publish.number]
        return _record(publish, PublishResult.CONFIRMED)

    def lose(self, publish: UnackedPublish, queue: str) -> list[PendingBatch]:
        """Note that one queue will not deal with it: its publisher must publish it again."""
        return _record(publish, PublishResult.UNKNOWN) + self.acknowledge(publish, queue)

    def abandon(self, publisher: object) -> list[PendingBatch]:
        """Let a publisher go: what it does not know by now, it will find out another time."""
        complete: list[PendingBatch] = []
        for publish in self._by_number.values():
            if publish.publisher is publisher:
                complete += _record(publish, PublishResult.UNKNOWN)
        return complete


def _record(publish: UnackedPublish, result: PublishResult) -> list[PendingBatch]:
    batch = publish.batch
    was_complete = batch.complete
    batch.record(publish.index, result)
    return [batch] if batch.complete and not was_complete else []
