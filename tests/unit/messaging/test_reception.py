"""How a service waits for messages."""

import threading
import time

from shared.messaging.bus import Incoming
from shared.messaging.reception import Reception
from tests.servers.premises import wait_until

SOON = 5.0


class Letterbox:
    """A reception with messages to take; it counts how often somebody looked."""

    def __init__(self) -> None:
        self.reception = Reception()
        self.ready: list[Incoming] = []
        self.looks = 0

    def take(self, limit: int) -> list[Incoming]:
        self.looks += 1
        taken, self.ready = self.ready[:limit], self.ready[limit:]
        return taken

    def gather(self, limit: int, wait: float, linger: float) -> list[Incoming]:
        return self.reception.gather(self.take, limit, wait, linger)

    def drop_in(self, count: int) -> None:
        with self.reception.lock:
            self.ready += [Incoming(b"", "signup.submitted.v1") for _ in range(count)]
            self.reception.stir(len(self.ready))


def in_background(
    letterbox: Letterbox, limit: int, linger: float
) -> "tuple[threading.Thread, list[int]]":
    sizes: list[int] = []
    thread = threading.Thread(target=lambda: sizes.append(len(letterbox.gather(limit, 60, linger))))
    thread.start()
    wait_until(lambda: letterbox.looks > 0, "somebody waits", SOON)
    return thread, sizes


def test_who_waits_for_the_first_message_is_woken_by_it() -> None:
    # Given somebody who waits
    letterbox = Letterbox()
    thread, sizes = in_background(letterbox, limit=100, linger=0)
    # When one message comes
    letterbox.drop_in(1)
    # Then it is handed over at once
    thread.join(SOON)
    assert sizes == [1]


def test_who_lingers_is_woken_once_when_the_batch_is_full() -> None:
    # Given somebody who has one message and lingers for nine more
    letterbox = Letterbox()
    thread, sizes = in_background(letterbox, limit=10, linger=60)
    letterbox.drop_in(1)
    wait_until(lambda: not letterbox.ready, "the first is taken", SOON)
    looks = letterbox.looks
    # When they come one by one
    for _ in range(9):
        letterbox.drop_in(1)
        thread.join(0.02)  # A chance to wake up, for whoever would.
    # Then it was woken for the batch, and not for each message
    thread.join(SOON)
    assert sizes == [10]
    assert letterbox.looks - looks <= 2


def test_messages_that_are_there_are_taken_without_waiting() -> None:
    # Given five messages
    letterbox = Letterbox()
    letterbox.drop_in(5)
    # When three are asked for; then they come at once, and the others stay
    began = time.monotonic()
    assert len(letterbox.gather(3, wait=60, linger=60)) == 3
    assert time.monotonic() - began < SOON
    assert len(letterbox.ready) == 2


def test_an_interruption_hands_over_what_is_there() -> None:
    # Given a message and an interruption
    letterbox = Letterbox()
    letterbox.drop_in(1)
    letterbox.reception.interrupt()
    # When somebody gathers; then the message is not kept from them, and nobody lingers
    began = time.monotonic()
    assert len(letterbox.gather(10, wait=60, linger=60)) == 1
    assert time.monotonic() - began < SOON


def test_a_closed_reception_takes_nothing() -> None:
    # Given a reception that is closed, with a message in it
    letterbox = Letterbox()
    letterbox.drop_in(1)
    with letterbox.reception.lock:
        letterbox.reception.close()
    # When somebody gathers; then there is nothing, at once
    began = time.monotonic()
    assert letterbox.gather(10, wait=60, linger=60) == []
    assert time.monotonic() - began < SOON
