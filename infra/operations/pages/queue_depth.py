"""How many messages lie on the broker's queue, without having anybody wait for the broker."""

import threading
import time
from dataclasses import dataclass

from shared.host.runtime import Runtime

LOOK_AGAIN_SECONDS = 2.0


@dataclass
class _Look:
    depth: int | None = None
    at: float = 0.0
    under_way: bool = False


class QueueDepths:
    """Looks while somebody has the page open, one short connection at a time for each service.

    What was seen last is answered at once. The embedded broker has no queue to look at: what it has
    not delivered is an event that counts as unpublished.
    """

    def __init__(self) -> None:
        self._looks: dict[str, _Look] = {}
        self._lock = threading.Lock()

    def of(self, runtime: Runtime) -> int | None:
        """What lies on a service's queue; None where that is not known."""
        if runtime.settings.embedded:
            return None
        with self._lock:
            look = self._looks.setdefault(runtime.service.name, _Look())
            if look.under_way or time.monotonic() < look.at + LOOK_AGAIN_SECONDS:
                return look.depth
            look.under_way = True
        threading.Thread(target=self._look, args=(runtime, look), daemon=True).start()
        return look.depth

    def _look(self, runtime: Runtime, look: _Look) -> None:
        from shared.messaging.topology.declare import depth

        found = None
        try:
            name = runtime.service.name
            found = depth(name, runtime.settings.broker_url_of(name))
        finally:
            with self._lock:
                look.depth, look.at, look.under_way = found, time.monotonic(), False
