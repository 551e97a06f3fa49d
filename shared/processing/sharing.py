"""Requests that come while others are under way share a transaction, as messages share a batch.

A transaction costs several times what one more sign-up in it does. So there is one of each caller's
at a time: nobody waits for company, who comes alone begins at once, and who comes in a crowd goes
along with the next that begins.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from shared.base.errors import InfrastructureDown
from shared.messaging.batches import Room
from shared.processing.handlers.messages import Effect, Message
from shared.processing.unit_of_work import WorkFailed

AT_ONCE = 2
"""How many callers have one under way: one computes while another waits for the database."""

MOST = 50
"""How many requests share one: the first of them is answered with the last."""

Consequences = Sequence[Effect] | None
"""What a request led to; None when the same was handled before."""


class _Request:
    """One request, those that it is to handle in its thread, and what became of it in another."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.caller = message.person.name if message.person else None
        self.turn = threading.Event()
        self.group: Sequence[_Request] = ()
        self.answer: Consequences = None
        self.is_settled = False
        self.away: InfrastructureDown | None = None


class SharedTransactions:
    """Handles requests alone, or several of one person's in one transaction.

    `together` returns what `alone` would, for each. What cannot be done together is done alone,
    each in the thread that asked for it: one that is at fault costs the others an attempt at most.
    """

    def __init__(
        self,
        alone: Callable[[Message], Consequences],
        together: Callable[[Sequence[Message]], Sequence[Consequences]],
    ) -> None:
        self._alone = alone
        self._together = together
        self._lock = threading.Lock()
        self._waiting: deque[_Request] = deque()
        self._under_way: set[str | None] = set()

    def execute(self, message: Message) -> Consequences:
        """Handle a request; returns what it led to.

        Raises:
            InfrastructureDown: the database is away; nothing was changed.
            WorkFailed: it cannot be done; nothing was changed.
        """
        mine = self._enter(message)
        # It must not hold itself: large bodies would wait for the collector of garbage.
        group, mine.group = mine.group, ()
        if group:
            with self._handing_on(group):
                if len(group) == 1:
                    return self._alone(message)
                self._settle(group)
        if mine.away is not None:
            raise InfrastructureDown(*mine.away.args) from mine.away
        return mine.answer if mine.is_settled else self._alone(message)

    def _enter(self, message: Message) -> _Request:
        """Wait until it has been dealt with, or is to deal with its group."""
        mine = _Request(message)
        with self._lock:
            if self._may_begin(mine):
                self._under_way.add(mine.caller)
                mine.group = [mine]
                return mine
            self._waiting.append(mine)
        mine.turn.wait()
        return mine

    def _settle(self, group: Sequence[_Request]) -> None:
        try:
            answers = self._together([request.message for request in group])
        except InfrastructureDown as error:
            for request in group:
                request.away = error
        except WorkFailed:
            return  # One of them is at fault: each is done alone.
        else:
            for request, answer in zip(group, answers, strict=True):
                request.answer, request.is_settled = answer, True

    @contextmanager
    def _handing_on(self, group: Sequence[_Request]) -> Iterator[None]:
        """However it ends, the next group begins, and nobody of this one waits any more."""
        try:
            yield
        finally:
            with self._lock:
                self._under_way.remove(group[0].caller)
                following = self._next_group()
                self._under_way.update(request.caller for request in following)
            for request in following[:1]:
                request.group = following
                request.turn.set()
            for request in group[1:]:
                request.turn.set()

    def _may_begin(self, request: _Request) -> bool:
        return len(self._under_way) < AT_ONCE and request.caller not in self._under_way

    def _next_group(self) -> list[_Request]:
        """Who waits longest of those who may begin, and its caller's others that fit, each once."""
        group: list[_Request] = []
        left: deque[_Request] = deque()
        ids: set[str] = set()
        room = Room(MOST)
        while self._waiting:
            request = self._waiting.popleft()
            message = request.message
            alike = request.caller == group[0].caller if group else self._may_begin(request)
            # The same request twice is looked at once more when the first of them is there.
            if alike and message.envelope.id not in ids and room.admit(len(message.incoming.body)):
                ids.add(message.envelope.id)
                group.append(request)
            else:
                left.append(request)
        self._waiting = left
        return group
