"""What KING's billing says and hears: the outside system that collects."""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from shared.base.text import normal
from shared.events.event import Event
from shared.events.shapes import Moment

CollectionStatus = Literal["submitted", "succeeded", "failed", "returned", "refunded", "reversed"]
Plain = BeforeValidator(lambda value: normal(value) if isinstance(value, str) else value)
"""References of KING are compared with ours, so that both have one form."""

SepaReference = Annotated[str, Plain, StringConstraints(min_length=1, max_length=35)]

KING_QUEUE = "king-billing"
KING_HEARS = ("collection.requested.v1", "collection.cancelled.v1")


class CollectionResult(Event):
    """VRIJGEVEN: what became of one collection.

    `reason_code` is the bank's four-character code (ISO 20022 external code list), kept raw.
    """

    event_type: ClassVar[str] = "collection.result.v1"
    said_by: ClassVar[str] = "king-billing"

    order_reference: SepaReference
    end_to_end_id: SepaReference
    attempt: Annotated[int, Field(strict=True, ge=1, le=1000)]
    amount_cents: Annotated[int, Field(strict=True, gt=0, le=10**12)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    status: CollectionStatus
    reason_code: Annotated[str, Plain, StringConstraints(max_length=35)] | None = None
    occurred_at: Moment
