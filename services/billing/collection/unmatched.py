"""Results of orders that are not known (yet): looked for again for a day, then a person's."""

from collections.abc import Sequence
from datetime import timedelta

from services.billing.collection.process import CollectionProcess
from services.billing.commands import DecideCollection, MatchResults
from services.billing.models import UnmatchedResult
from shared.base.errors import Conflict
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


def decide_unmatched(command: DecideCollection, rows: Sequence[UnmatchedResult]) -> list[Effect]:
    """Dismiss results whose order is not known; nothing more comes of them.

    Raises:
        Conflict: there is no order on which they could be accepted.
    """
    if command.decision == "accept":
        raise Conflict(
            "order_unknown",
            "The order of this result is not known, so it cannot be accepted; correct the "
            "report, or dismiss it.",
        )
    for row in rows:
        row.dismiss(command.reason, command.by)
    return []
