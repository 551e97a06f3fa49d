"""`stappenplan`, made to fail at a named point: what the tests start in its place.

    python -m tests.crashes.armed kill POINT PASS run …    dies at its PASSth pass of POINT
    python -m tests.crashes.armed hang POINT PASS run …    hangs there, and goes on elsewhere
    python -m tests.crashes.armed pause POINT PASS run …   takes two seconds, then and ever after,
                                                           and 20 messages at a time instead of 200
    python -m tests.crashes.armed spare POINT PASS run …   does none of these

The very same program then runs, by its own command line. One more thing is different: what a dead
process had leased is free again after seconds instead of minutes, so that a test need not wait
for that (`leases`).
"""

import itertools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

from tests.crashes.leases import replace, shorten_leases

PAUSE = 2.0
SMALL_BATCH = 20


def main(deed: str, point: str, nth: int) -> None:
    """Put the deed in place before anything that passes a point is imported, then run."""
    from shared.base import crash_points

    if deed != "spare":
        assert point in crash_points.POINTS, f"there is no point {point}"
        crash_points.reached = _doer(deed, point, nth)  # type: ignore[assignment]
    shorten_leases()
    if deed == "pause":
        from shared.processing.worker import consumer

        replace(consumer, BATCH=SMALL_BATCH)
    from infra.cli import main as stappenplan

    stappenplan()


def _doer(deed: str, point: str, nth: int) -> Callable[[str], None]:
    passes = itertools.count(1)

    def reached(here: str) -> None:
        if here != point:
            return
        number = next(passes)
        if number == nth:
            print(f"armed: {deed} at {point}", flush=True)  # noqa: T201  For the log.
        if number == nth and deed == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if number == nth and deed in ("kill", "hang"):
            threading.Event().wait()  # Not a step further, however late the signal is.
        if number >= nth and deed == "pause":
            time.sleep(PAUSE)  # The deed itself: the process is slow here.

    return reached


if __name__ == "__main__":
    armed_deed, armed_point, armed_pass = sys.argv[1:4]
    del sys.argv[1:4]
    main(armed_deed, armed_point, int(armed_pass))
