"""SIGTERM and Ctrl-C, from a process's first moment on.

The kernel discards a signal that process 1 of a container has no handler for, and to load the
product takes a second or two: whoever stopped it then would wait for its end in vain. So handlers
are there before anything else is loaded, and this module loads nothing itself.
"""

import os
import signal
from collections.abc import Callable
from types import FrameType

EXIT_ON_SIGNAL = 128
"""A shell's exit code for what a signal ended is this and the signal's number: 143, 130."""


def end_at_once_on_signals() -> None:
    """Have SIGTERM and Ctrl-C end this process at once: it holds nothing yet.

    A Ctrl-C that whoever started it had ignored stays ignored.
    """
    signal.signal(signal.SIGTERM, _on_signal)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _on_signal)


def give_back_ctrl_c() -> None:
    """Let Ctrl-C interrupt what runs, as Python does, so that commands can put things away."""
    if signal.getsignal(signal.SIGINT) is _on_signal:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def end_by(number: int) -> None:
    """End as a process does that has no handler for this signal: whoever watches sees why."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(EXIT_ON_SIGNAL + number)  # Process 1 is spared by its own signals.


def on_stop_signals(handle: Callable[[int], None]) -> None:
    """Have SIGTERM and Ctrl-C handled, from now on, by their number."""

    def on_signal(number: int, _frame: FrameType | None) -> None:
        handle(number)

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)


def _on_signal(number: int, _frame: FrameType | None) -> None:
    end_by(number)
