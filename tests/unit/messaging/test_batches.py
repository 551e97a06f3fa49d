"""How a service waits for messages, and how a publisher hears of those it published."""

import threading
import time

from shared.messaging.batches import BatchBuffer, PendingBatch, Room
from shared.messaging.bus import BATCH_BYTES, Incoming, PublishResult
from tests.servers.premises import wait_until

SOON = 5.0


class Mailbox:
    """A buffer with messages to take; it counts how often somebody looked."""

    def __init__(self) -> None:
        self.buffer = BatchBuffer()
        self.messages: list[Incoming] = []
        self.looks = 0

    def take(self, room: Room) -> list[Incoming]:
        self.looks += 1
        batch = []
        while self.messages and room.admit(len(self.messages[0].body)):
            batch.append(self.messages.pop(0))
        return batch

    def collect(self, limit: int, wait: float, linger: float) -> list[Incoming]:
        return self.buffer.collect(self.take, limit, wait, linger)

    def drop_in(self, count: int) -> None:
        with self.buffer.lock:
            self.messages += [Incoming(b"", "signup.submitted.v1") for _ in range(count)]
            self.buffer.notify(len(self.messages))


def in_background(
    mailbox: Mailbox, limit: int, linger: float
) -> "tuple[threading.Thread, list[int]]":
    sizes: list[int] = []
    thread = threading.Thread(target=lambda: sizes.append(len(mailbox.collect(limit, 60, linger))))
    thread.start()
    wait_until(lambda: mailbox.looks > 0, "somebody waits", SOON)
    return thread, sizes


def test_who_waits_for_the_first_message_is_woken_by_it() -> None:
    # Given somebody who waits
    mailbox = Mailbox()
    thread, sizes = in_background(mailbox, limit=100, linger=0)
    # When one message comes
    mailbox.drop_in(1)
    # Then it is handed over at once
    thread.join(SOON)
    assert sizes == [1]


def test_a_batch_is_bounded_by_bytes_and_one_message_always_fits() -> None:
    # Given three messages, of which two are too much for one batch, and one that is alone so
    mailbox = Mailbox()
    half, whole = b"x" * (BATCH_BYTES * 2 // 3), b"x" * (BATCH_BYTES * 2)
    mailbox.messages = [Incoming(body, "signup.submitted.v1") for body in (half, half, whole, b"")]
    # When they are collected, Then each batch has what fits, nobody lingers for what does not,
    sizes = [len(mailbox.collect(100, wait=60, linger=60)) for _ in range(3)]
    # and the one that is too large by itself comes all the same.
    assert sizes == [1, 1, 1]
    assert len(mailbox.messages) == 1


def test_those_that_come_while_one_lingers_are_its_company_and_nobody_elses() -> None:
    # Given two threads that wait, of which one has the first message and lingers for two more,
    mailbox = Mailbox()
    threads = [in_background(mailbox, limit=3, linger=60) for _ in range(2)]
    wait_until(lambda: mailbox.looks == 2, "both wait", SOON)
    mailbox.drop_in(1)
    wait_until(lambda: mailbox.looks == 4, "one has it, and lingers", SOON)
    # When one more comes, Then nobody is woken for it,
    mailbox.drop_in(1)
    assert mailbox.looks == 4
    # and when there are enough, they are one batch; the other thread has the next.
    mailbox.drop_in(1)
    wait_until(lambda: [3] in [sizes for _, sizes in threads], "they are one batch", SOON)
    mailbox.drop_in(3)
    for thread, sizes in threads:
        thread.join(SOON)
        assert sizes == [3]


def test_what_a_full_batch_leaves_is_handed_to_who_waits() -> None:
    # Given two threads that wait, of which one has the first message and lingers for two more,
    mailbox = Mailbox()
    threads = [in_background(mailbox, limit=3, linger=60) for _ in range(2)]
    wait_until(lambda: mailbox.looks == 2, "both wait", SOON)
    mailbox.drop_in(1)
    wait_until(lambda: mailbox.looks == 4, "one has it, and lingers", SOON)
    # When more come than it has room for, Then the other has the rest, though nothing new comes.
    mailbox.drop_in(4)
    wait_until(lambda: not mailbox.messages, "the rest is taken", SOON)
    mailbox.drop_in(1)
    for thread, sizes in threads:
        thread.join(SOON)
        assert sizes == [3]


def test_who_lingers_is_woken_once_when_the_batch_is_full() -> None:
    # Given somebody who has one message and lingers for nine more
    mailbox = Mailbox()
    thread, sizes = in_background(mailbox, limit=10, linger=60)
    mailbox.drop_in(1)
    wait_until(lambda: not mailbox.messages, "the first is taken", SOON)
    looks = mailbox.looks
    # When they come one by one
    for _ in range(9):
        mailbox.drop_in(1)
        thread.join(0.02)  # A chance to wake up, for whoever would.
    # Then it was woken for the batch, and not for each message
    thread.join(SOON)
    assert sizes == [10]
    assert mailbox.looks - looks <= 2


def test_messages_that_are_there_are_taken_without_waiting() -> None:
    # Given five messages
    mailbox = Mailbox()
    mailbox.drop_in(5)
    # When three are asked for; then they come at once, and the others stay
    began = time.monotonic()
    assert len(mailbox.collect(3, wait=60, linger=60)) == 3
    assert time.monotonic() - began < SOON
    assert len(mailbox.messages) == 2


def test_an_interruption_hands_over_what_is_there() -> None:
    # Given a message and an interruption
    mailbox = Mailbox()
    mailbox.drop_in(1)
    mailbox.buffer.interrupt()
    # When somebody collects; then the message is not kept from them, and nobody lingers
    began = time.monotonic()
    assert len(mailbox.collect(10, wait=60, linger=60)) == 1
    assert time.monotonic() - began < SOON


def test_a_closed_buffer_takes_nothing() -> None:
    # Given a buffer that is closed, with a message in it
    mailbox = Mailbox()
    mailbox.drop_in(1)
    with mailbox.buffer.lock:
        mailbox.buffer.close()
    # When somebody collects; then there is nothing, at once
    began = time.monotonic()
    assert mailbox.collect(10, wait=60, linger=60) == []
    assert time.monotonic() - began < SOON


def test_the_first_result_of_a_message_stands() -> None:
    # Given a message that has its result
    batch = PendingBatch(1)
    batch.record(0, PublishResult.UNROUTABLE)
    # When another one comes
    batch.record(0, PublishResult.CONFIRMED)
    # Then it changes nothing
    assert batch.complete
    batch.resolve()
    assert batch.future.result(0) == [PublishResult.UNROUTABLE]
