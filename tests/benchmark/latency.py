"""How long a lone message takes, from publishing to the next event on its queue."""

import json
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from tests.benchmark.arena import LISTENER, Arena
from tests.benchmark.load import NEXT
from tests.benchmark.roster import ROOT, Contender

PAUSE = 0.05
"""Seconds between two messages: 20 a second."""


class Watch:
    """Notes when each customer's next event arrives."""

    def __init__(self, place: Arena) -> None:
        self._place = place
        self.arrived: dict[str, float] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        with self._place.channel() as channel:
            for method, _, body in channel.consume(LISTENER, inactivity_timeout=0.2, auto_ack=True):
                if method is not None and method.routing_key == NEXT[0]:
                    self.arrived.setdefault(json.loads(body)["subject"], time.monotonic())
                if self._over.is_set():
                    return

    def await_all(self, count: int, patience: float = 60) -> None:
        """Wait until so many have arrived."""
        deadline = time.monotonic() + patience
        while len(self.arrived) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self.arrived)} of {count} arrived")
            self._over.wait(0.05)

    def close(self) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join(5)


@dataclass(frozen=True)
class Timed:
    """When a message was published and its successor arrived, in seconds of the machine's clock."""

    published: float
    arrived: float


def latencies(
    place: Arena, contender: Contender, environment: Mapping[str, str], bodies: Sequence[bytes]
) -> list[float]:
    """Milliseconds for each message, in the order in which they were published."""
    journeys = timed(place, contender, environment, bodies)
    return [1000 * (journey.arrived - journey.published) for journey in journeys]


def timed(
    place: Arena, contender: Contender, environment: Mapping[str, str], bodies: Sequence[bytes]
) -> list[Timed]:
    """When each message was published and answered, in the order in which they were published.

    The first is answered before the next is published: whoever has just started is not yet there.
    """
    watch = Watch(place)
    published: dict[str, float] = {}
    with _publisher(place, contender, environment) as publish:
        for body in bodies:
            subject = json.loads(body)["subject"]
            published[subject] = time.monotonic()
            publish(body)
            if len(published) == 1:
                watch.await_all(1)
            time.sleep(PAUSE)  # The load is so many a second: each message comes alone.
        watch.await_all(len(bodies))
    watch.close()
    return [Timed(at, watch.arrived[subject]) for subject, at in published.items()]


def _publisher(
    place: Arena, contender: Contender, environment: Mapping[str, str]
) -> AbstractContextManager[Any]:
    if not contender.fills_itself:
        return _by_broker(place)
    return _by_client(place, contender.command("fill"), environment)


@contextmanager
def _by_broker(place: Arena) -> Any:
    with place.channel() as channel:
        yield lambda body: channel.basic_publish("", "registration", body)


@contextmanager
def _by_client(place: Arena, command: Sequence[str], environment: Mapping[str, str]) -> Any:
    client = subprocess.Popen(
        command, stdin=subprocess.PIPE, env={**place.environment, **environment}, cwd=ROOT
    )
    assert client.stdin is not None
    pipe = client.stdin

    def publish(body: bytes) -> None:
        pipe.write(body + b"\n")
        pipe.flush()

    try:
        yield publish
    finally:
        pipe.close()
        client.wait(30)
