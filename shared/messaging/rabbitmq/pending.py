"""One message on its way to the broker, until there is a result for it."""

from dataclasses import dataclass

from shared.messaging.batches import PendingBatch
from shared.messaging.bus import Outgoing, PublishResult


@dataclass(slots=True)
class Pending:
    """One message on its way."""

    message: Outgoing
    batch: PendingBatch
    index: int
    deadline: float
    returned: bool = False

    def resolve(self, result: PublishResult) -> None:
        """Record this message's result; the last one of its batch resolves the batch."""
        unroutable = self.returned and result is PublishResult.CONFIRMED
        self.batch.record(self.index, PublishResult.UNROUTABLE if unroutable else result)
        if self.batch.complete:
            self.batch.resolve()

    @property
    def address(self) -> tuple[str, str]:
        """What a returned message is known by: its id and its routing key."""
        return self.message.id, routing_key(self.message)


def routing_key(message: Outgoing) -> str:
    """What the broker routes a message by; the name of its queue where it goes straight."""
    return message.type if message.queue is None else message.queue
