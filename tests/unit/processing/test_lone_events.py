"""An event that comes alone is dealt with at once; those that come together share a transaction."""

from collections.abc import Callable, Sequence
from itertools import accumulate

from shared.messaging.bus import Incoming
from shared.processing.testing import RecordingBus
from shared.processing.worker.company import LINGER_SECONDS, Company
from shared.processing.worker.consumer import Consumer


class Queue(RecordingBus):
    """Delivers these numbers of messages, one after the other, and notes how long each waited."""

    def __init__(self, *deliveries: int) -> None:
        super().__init__()
        self._deliveries = list(deliveries)
        self.lingered: list[float] = []
        self.at_the_end: Callable[[], object] = list

    def receive(self, limit: int, wait: float, linger: float) -> list[Incoming]:
        if not self._deliveries:
            self.at_the_end()
            return []
        self.lingered.append(linger)
        return [Incoming(b"", "signup.accepted.v1", None)] * self._deliveries.pop(0)


class Nobody:
    """Takes whatever comes."""

    def take(self, incoming: Sequence[Incoming]) -> None: ...

    def take_unprocessable(self, incoming: Incoming, fault: Exception) -> None: ...


class Clock:
    """Goes on by so much before each delivery."""

    def __init__(self, gaps: Sequence[float]) -> None:
        self._moments = accumulate(gaps)

    def __call__(self) -> float:
        return next(self._moments)


def lingered(*deliveries: int, gaps: Sequence[float] | None = None) -> list[float]:
    queue = Queue(*deliveries)
    clock = Clock([*(gaps or [1.0] * len(deliveries)), 30.0])
    consumer = Consumer("registration", queue, Nobody(), Company(clock))
    queue.at_the_end = consumer.stop
    consumer.run()
    return queue.lingered


def test_who_comes_alone_waits_for_nobody() -> None:
    # Given one sign-up twenty times a second,
    assert lingered(1, 1, 1, 1, gaps=[0.05] * 4) == [0.0, 0.0, 0.0, 0.0]


def test_after_some_that_came_together_others_are_waited_for() -> None:
    # Given a rush that begins and ends,
    # Then the first of it waits for nobody, and who follows waits for company until it is over.
    assert lingered(1, 40, 200, 1, 1) == [0.0, 0.0, LINGER_SECONDS, LINGER_SECONDS, 0.0]


def test_those_that_follow_closely_on_one_another_are_company() -> None:
    # Given two hundred events a second, each by itself, and then a pause,
    gaps = [1.0, 0.005, 0.02, 0.02, 0.5, 0.5]
    # Then the third waits for company, and so on until nobody came while it waited.
    assert lingered(1, 1, 4, 4, 1, 1, gaps=gaps) == [
        0.0, 0.0, LINGER_SECONDS, LINGER_SECONDS, LINGER_SECONDS, 0.0,
    ]  # fmt: skip
