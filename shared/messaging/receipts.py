"""The receipts of messages that were published together, gathered as they come in."""

from concurrent.futures import Future

from shared.messaging.bus import Receipt


class Receipts:
    """One receipt for each message of a `publish`, and the future that will give them all.

    Not locked: its bus sees to it that one thread at a time writes.
    """

    def __init__(self, size: int) -> None:
        self.future: Future[list[Receipt]] = Future()
        # Nobody can take back what was published.
        self.future.set_running_or_notify_cancel()
        self._receipts: list[Receipt | None] = [None] * size
        self._missing = size

    @classmethod
    def all(cls, receipt: Receipt, size: int) -> "Future[list[Receipt]]":
        """The future of messages that all got the same answer, at once."""
        receipts = cls(size)
        for index in range(size):
            receipts.note(index, receipt)
        receipts.hand_over()
        return receipts.future

    def note(self, index: int, receipt: Receipt) -> None:
        """Write down the answer for one message; the first answer stands."""
        if self._receipts[index] is None:
            self._receipts[index] = receipt
            self._missing -= 1

    @property
    def complete(self) -> bool:
        """Whether every message has its answer."""
        return not self._missing

    def hand_over(self) -> None:
        """Give the publisher its receipts; its callbacks run here, so hold no lock."""
        self.future.set_result([one or Receipt.UNKNOWN for one in self._receipts])
