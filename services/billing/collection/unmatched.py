"""Results of orders that are not known (yet): looked for again for a day, then a person's."""

from collections.abc import Sequence
from datetime import timedelta

from services.billing.collection.process import CollectionProcess
from services.billing.commands import MatchResults
from services.billing.models import UnmatchedResult
from shared.processing import Effect, Now, Scheduled

MATCH_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 10, 60, 720))
"""How long to wait before each time that the order is looked for."""


def schedule_match(order_reference: str, times: int, now: Now, result_id: str) -> list[Effect]:
    """Look for the order once more, after it was looked for so many times; in the end no more."""
    if times >= len(MATCH_PAUSES):
        return []  # It stays held for a person.
    command = MatchResults(order_reference=order_reference, times=times + 1)
    return [Scheduled(command, now + MATCH_PAUSES[times], f"match_results/{result_id}/{times}")]


def book_unmatched(process: CollectionProcess, rows: Sequence[UnmatchedResult]) -> list[Effect]:
    """Book what was kept until the order appeared."""
    effects: list[Effect] = []
    for row in rows:
        effects += process.book(row.match())
    return effects
