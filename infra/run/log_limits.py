"""Keeps a flood out of the log: what libraries say again and again, they say once a second."""

import logging
import threading
import time
from collections.abc import Callable

EVERY = 1.0
"""Seconds between two lines of one text."""
FLOODED = ("uvicorn.error", "asyncio")
"""Who writes a line, or a traceback, for each connection that goes wrong."""
BEGINNING = 60
"""So many characters tell one text from another."""
MOST_TEXTS = 100


class OnceASecond(logging.Filter):
    """Lets one line of each text through a second; the next says how many were left out."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._texts: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this line is written."""
        now, text = self._clock(), str(record.msg)[:BEGINNING]
        with self._lock:
            last, left_out = self._texts.get(text, (-EVERY, 0))
            if now - last < EVERY:
                self._texts[text] = last, left_out + 1
                return False
            if len(self._texts) >= MOST_TEXTS:
                self._texts.clear()
            self._texts[text] = now, 0
        if left_out:
            record.msg = f"{str(record.msg).rstrip()} (and {left_out} more like it)"
        return True


_once_a_second = OnceASecond()


def limit_logs() -> None:
    """Limit what is logged for each connection; doing so again changes nothing."""
    for name in FLOODED:
        logging.getLogger(name).addFilter(_once_a_second)
