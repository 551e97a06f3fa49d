"""`stappenplan`, noting when a message passes each hop: what `anatomy` starts in its place.

    python -m tests.benchmark.traced FILE run registration

The very same program runs, by its own command line. Its moments, by the clock that all processes
of a machine share, are written to FILE as lines of JSON when it ends.
"""

import functools
import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Moment = tuple[float, str, str]
"""Seconds, the name of the hop, and the thread that was there."""


class Notes:
    """The moments, in memory until the end: writing them down costs more than the hop."""

    def __init__(self) -> None:
        self.moments: list[Moment] = []

    def note(self, hop: str) -> None:
        """A message is here now."""
        self.moments.append((time.monotonic(), hop, threading.current_thread().name))

    def write(self, file: Path) -> None:
        """Keep them for whoever asks afterwards."""
        file.write_text("\n".join(map(json.dumps, self.moments)), encoding="utf-8")

    def around(self, owner: type, method: str, before: str = "", after: str = "") -> None:
        """Note when this method is called, and when it has returned."""
        original = getattr(owner, method)

        @functools.wraps(original)
        def noting(*args: Any, **named: Any) -> Any:
            if before:
                self.note(before)
            result = original(*args, **named)
            if after:
                self.note(after)
            return result

        setattr(owner, method, noting)


def main(file: Path) -> None:
    """Put the notes in place before anything that passes a point is imported, then run."""
    from shared.base import crash_points

    notes = Notes()
    crash_points.reached = notes.note  # type: ignore[assignment]
    _watch_threads(notes.around)
    _watch_statements(notes)
    from infra.cli import main as stappenplan

    try:
        stappenplan()
    finally:
        notes.write(file)


def _watch_threads(around: Callable[..., None]) -> None:
    from shared.messaging.rabbitmq.bus import RabbitBus
    from shared.messaging.rabbitmq.consumer import QueueConsumer
    from shared.messaging.rabbitmq.frames import RawDelivery
    from shared.messaging.rabbitmq.publisher import ConfirmingPublisher
    from shared.processing.engine import Engine

    around(RawDelivery, "__init__", before="read")
    around(QueueConsumer, "_hand_over", before="handed over")
    around(RabbitBus, "receive", after="received")
    around(Engine, "_decode", before="decode.before", after="decode.after")
    around(ConfirmingPublisher, "publish", before="handed to the bus")


def _watch_statements(notes: Notes) -> None:
    from sqlalchemy import Engine, event

    def begun(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        notes.note(f"statement.before {statement[:60]}")

    def answered(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        notes.note(f"statement.after {statement[:60]}")

    event.listen(Engine, "before_cursor_execute", begun)
    event.listen(Engine, "after_cursor_execute", answered)
    event.listen(Engine, "checkout", lambda *_: notes.note("checked out"))
    event.listen(Engine, "commit", lambda *_: notes.note("commit sent"))


if __name__ == "__main__":
    told = Path(sys.argv[1])
    del sys.argv[1]
    main(told)
