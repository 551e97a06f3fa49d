"""A process that writes letters for a service: `python -m shared.notifications.writer FD`.

It reads drafts from the socket that it was started with, answers with letters, under the number
of the question, and ends when the other side has closed. It opens nothing else: no database, no
broker, no mail service.
"""

import os
import signal
import sys
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path

from shared.notifications.drafts import write_or_say_why
from shared.notifications.rendering import Renderer

POLITENESS = 5
"""Where processors are scarce, whoever consumes goes before whoever writes letters."""


@cache
def _renderer(templates: Path, brand: str) -> Renderer:
    return Renderer(templates, brand)


def main(socket: int) -> None:
    """Write until nobody asks any more."""
    # Ctrl-C and a service manager's SIGTERM reach the whole group: the service decides when.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.nice(POLITENESS)
    line = Connection(socket)
    while True:
        try:
            number, (templates, brand, mail_from, drafts) = line.recv()
            renderer = _renderer(templates, brand)
            line.send((number, [write_or_say_why(one, renderer, mail_from) for one in drafts]))
        except (EOFError, OSError):
            return


if __name__ == "__main__":
    main(int(sys.argv[1]))
