"""A website under test: it keeps sending sign-ups, whatever becomes of the broker."""

import json
import threading
import time
from collections.abc import Callable

from infra.demo.simulators.website import Document, signups
from shared.messaging.bus import Bus, Outgoing, PublishResult

EXAMPLES = 12
"""The sign-ups that ship with the product come first and some wait for a person: they are passed
over."""

PACE = 15
"""Sign-ups a second, at most, with some hundred events and mails."""

UNDER_WAY = 100
"""So many sign-ups are on their way at most: a slow machine is not what is tested here."""

ALL_THE_WAY = 150.0
"""Seconds within which everything must have arrived once the fault is over."""


class Load:
    """A website that keeps sending sign-ups, and repeats each until the broker has confirmed it."""

    def __init__(self, line: Bus, most: int, arrived: Callable[[], int]) -> None:
        self._line = line
        self._arrived = arrived
        self._documents = iter(list(signups(EXAMPLES + most, seed=4))[EXAMPLES:])
        self._enough = threading.Event()
        self._lock = threading.Lock()
        self.submitted: dict[str, str] = {}
        """What the broker has taken: the ids of events, each with its onboarding id."""
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def start(self) -> None:
        """Begin to send, at a steady pace."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more; the last one is confirmed when this returns."""
        self._enough.set()
        self._thread.join(ALL_THE_WAY)
        assert not self._thread.is_alive(), "the website could not get rid of its last sign-up"

    def send_one(self) -> str:
        """Send one sign-up now; returns its onboarding id once the broker has it."""
        with self._lock:
            document = next(self._documents)
        self._send(document)
        return str(document["subject"])

    def _run(self) -> None:
        while not self._enough.wait(1 / PACE):
            if len(self.submitted) - self._arrived() > UNDER_WAY:
                continue
            try:
                self.send_one()
            except StopIteration:
                return

    def _send(self, document: Document) -> None:
        message = outgoing(document)
        deadline = time.monotonic() + ALL_THE_WAY
        # Repeated until it is confirmed, under the same id: what a website has to do.
        while (receipts := self._line.publish([message]).result(60)) != [PublishResult.CONFIRMED]:
            assert time.monotonic() < deadline, f"the broker never took it, but said {receipts}"
            time.sleep(0.1)  # A website leaves a broker that is away a moment to come back.
        self.submitted[str(document["id"])] = str(document["subject"])


def outgoing(document: Document) -> Outgoing:
    """A sign-up as a message for the broker."""
    return Outgoing(document["id"], document["type"], json.dumps(document).encode())
