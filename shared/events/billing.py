"""What billing says: the order, its confirmation, the collection and the release.

`revision` counts per order; of two events about one order the higher revision holds, whatever
the order of arrival.
"""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from shared.events.event import Event
from shared.events.king import CollectionStatus
from shared.events.shapes import Code, Line, Shape

SignatureMethod = Literal["post", "fax", "scan", "online", "standing_mandate"]
Scheme = Literal["CORE", "B2B"]


class OrderConfirmationSent(Event):
    """AANMELDEN: the order/direct-debit confirmation was handed to the mail service."""

    event_type: ClassVar[str] = "order.confirmation_sent.v1"
    said_by: ClassVar[str] = "billing"

    order_reference: Code
    document_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    sent_to: Line
    copied_to: Line


class OrderConfirmationSigned(Event):
    """BEVESTIGEN: the payer returned the confirmation, signed."""

    event_type: ClassVar[str] = "order.confirmation_signed.v1"
    said_by: ClassVar[str] = "billing"

    order_reference: Code
    method: SignatureMethod
    signed_on: date
    received_at: AwareDatetime
    revision: Annotated[int, Field(strict=True, ge=0)] | None = None


class OrderSignatureWithdrawn(Event):
    """BEVESTIGEN: a signature was recorded by mistake and is taken back; the order is unsigned."""

    event_type: ClassVar[str] = "order.signature_withdrawn.v1"
    said_by: ClassVar[str] = "billing"

    order_reference: Code
    reason: Line
    revision: Annotated[int, Field(strict=True, ge=0)]


class MandateDetails(Shape):
    """What KING's bank file needs of the mandate (SEPA core and B2B rulebooks)."""

    reference: Code
    scheme: Scheme
    signed_on: date
    creditor_id: Code
    iban: Code
    account_holder: Line


class CollectionRequested(Event):
    """VRIJGEVEN: KING is asked to collect; never before the confirmation was signed."""

    event_type: ClassVar[str] = "collection.requested.v1"
    said_by: ClassVar[str] = "billing"

    order_reference: Code
    mandate: MandateDetails
    end_to_end_id: Code
    attempt: Annotated[int, Field(strict=True, ge=1)]
    amount_cents: Annotated[int, Field(strict=True, gt=0)]
    currency: Code = "EUR"
    collect_on: date


class CollectionCancelled(Event):
    """VRIJGEVEN: a collection that KING need not make any more."""

    event_type: ClassVar[str] = "collection.cancelled.v1"
    said_by: ClassVar[str] = "billing"

    order_reference: Code
    end_to_end_id: Code
    reason: Line


class CollectionBooked(Event):
    """VRIJGEVEN: a result of KING was booked; `held` means that a person must decide."""

    event_type: ClassVar[str] = "collection.booked.v1"
    said_by: ClassVar[str] = "billing"

    order_reference: Code
    end_to_end_id: Code
    attempt: Annotated[int, Field(strict=True, ge=1)]
    status: CollectionStatus
    reason_code: Line | None = None
    held: bool
    revision: Annotated[int, Field(strict=True, ge=0)]


class CustomerReleased(Event):
    """VRIJGEVEN: signed and collected; the office may activate."""

    event_type: ClassVar[str] = "customer.released.v1"
    said_by: ClassVar[str] = "billing"

    order_reference: Code
    revision: Annotated[int, Field(strict=True, ge=0)]


class CustomerReleaseWithdrawn(Event):
    """VRIJGEVEN: the release is taken back, because the money went back or the customer left."""

    event_type: ClassVar[str] = "customer.release_withdrawn.v1"
    said_by: ClassVar[str] = "billing"

    order_reference: Code
    revision: Annotated[int, Field(strict=True, ge=0)]
    reason_code: Line
    cause: Line
