"""What may still lie on a queue, and so is not lost although nobody has it yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from infra.composition import service_names
from shared.host.settings import Settings

OVERTAKEN = timedelta(minutes=5)
"""A queue is in order: an event that one published so much later has passed is on it no more. It
is longer than the way of a message that a process dropped when it died (`MESSAGE_LEASE`)."""


@dataclass(frozen=True)
class Queues:
    """How many messages lie on each service's queue; where that is not known, it has no entry.

    `grace` is how long a message may be in nobody's books: taken from its queue, not yet committed.
    """

    depths: Mapping[str, int] = field(default_factory=dict)
    grace: timedelta = timedelta(seconds=60)

    def overdue(self, hearer: str, age: timedelta, overtaken_by: timedelta) -> bool:
        """Whether an event of this age that is not in the hearer's inbox should be there.

        `overtaken_by` is how much later the last one was published that has arrived.
        """
        if age <= self.grace:
            return False
        return self.depths.get(hearer) == 0 or overtaken_by > OVERTAKEN


EMBEDDED = Queues(dict.fromkeys(service_names(), 0), timedelta(0))
"""On the embedded broker an event counts as published only when every hearer has it."""


def queues_of(settings: Settings) -> Queues:
    """What lies on the queues now, as far as the broker tells."""
    if settings.embedded:
        return EMBEDDED
    from shared.messaging.topology.declare import depth

    depths = {name: depth(name, settings.broker_url_of(name)) for name in service_names()}
    return Queues({name: number for name, number in depths.items() if number is not None})
