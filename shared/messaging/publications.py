"""Who has still to acknowledge what: how the embedded bus knows that a message is confirmed."""

import itertools
from collections.abc import Set
from dataclasses import dataclass

from shared.messaging.bus import Receipt
from shared.messaging.receipts import Receipts


@dataclass(slots=True, eq=False)
class Publication:
    """One published message and the queues that have not yet acknowledged it."""

    number: str
    publisher: object
    receipts: Receipts
    index: int
    repeated: bool
    awaited: set[str]


class Publications:
    """The messages that are under way.

    Not locked: its broker is. What a method returns are the receipts that are complete now, to
    be handed over once the lock is free.
    """

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._under_way: dict[str, Publication] = {}

    def __len__(self) -> int:
        """How many messages are under way."""
        return len(self._under_way)

    def add(
        self, publisher: object, receipts: Receipts, index: int, *, repeated: bool, to: Set[str]
    ) -> Publication:
        """Remember a message until each of the queues has acknowledged it."""
        number = str(next(self._numbers))
        publication = Publication(number, publisher, receipts, index, repeated, set(to))
        self._under_way[number] = publication
        return publication

    def find(self, number: str) -> Publication:
        """The publication with this number."""
        return self._under_way[number]

    def acknowledged(self, publication: Publication, queue: str) -> list[Receipts]:
        """One queue has dealt with it; the last one makes it confirmed."""
        publication.awaited.discard(queue)
        if publication.awaited:
            return []
        del self._under_way[publication.number]
        return _note(publication, Receipt.CONFIRMED)

    def lost(self, publication: Publication, queue: str) -> list[Receipts]:
        """One queue will not deal with it: its publisher must publish it again."""
        return _note(publication, Receipt.UNKNOWN) + self.acknowledged(publication, queue)

    def abandoned(self, publisher: object) -> list[Receipts]:
        """A publisher leaves: what it does not know by now, it will find out another time."""
        complete: list[Receipts] = []
        for publication in self._under_way.values():
            if publication.publisher is publisher:
                complete += _note(publication, Receipt.UNKNOWN)
        return complete


def _note(publication: Publication, receipt: Receipt) -> list[Receipts]:
    receipts = publication.receipts
    was_complete = receipts.complete
    receipts.note(publication.index, receipt)
    return [receipts] if receipts.complete and not was_complete else []
