"""A process that renders for a service: `python -m shared.notifications.rendering.worker FD`.

It reads jobs from the socket that it was started with, answers with messages, under the number
of the request, and ends when the other side has closed. It opens nothing else: no database, no
broker, no mail provider.
"""

import os
import signal
import sys
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path

from shared.notifications.rendering.jobs import render_or_failure
from shared.notifications.rendering.renderer import Renderer

NICE_INCREMENT = 5
"""Where processors are scarce, whoever consumes goes before whoever renders."""


@cache
def _renderer(templates: Path, brand: str) -> Renderer:
    return Renderer(templates, brand)


def main(file_descriptor: int) -> None:
    """Render until nobody asks any more."""
    # Ctrl-C and a service manager's SIGTERM reach the whole group: the service decides when.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.nice(NICE_INCREMENT)
    connection = Connection(file_descriptor)
    while True:
        try:
            number, (templates, brand, mail_from, jobs) = connection.recv()
            renderer = _renderer(templates, brand)
            rendered = [render_or_failure(job, renderer, mail_from) for job in jobs]
            connection.send((number, rendered))
        except (EOFError, OSError):
            return


if __name__ == "__main__":
    main(int(sys.argv[1]))
