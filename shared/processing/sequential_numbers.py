"""Numbers for a harness without a database."""

from collections import Counter


class SequentialNumbers:
    """Gives each series its numbers from one on."""

    def __init__(self) -> None:
        self._last: Counter[str] = Counter()
        self._foreseen: dict[tuple[str, str], int] = {}

    def foresee(self, series: str, message_id: str) -> int:
        """The number that this message will be given."""
        number = self._foreseen[series, message_id] = self.take(series, message_id)
        return number

    def take(self, series: str, message_id: str | None = None) -> int:
        """The next number, or the one that was foreseen for this message."""
        foreseen = self._foreseen.pop((series, message_id or ""), None)
        self._last[series] += foreseen is None
        return foreseen or self._last[series]
