"""What the payer returned, as KING looks at it: what was said, sent, and signed online."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, col, select

from services.billing.models import OnlineSigning, Order
from services.billing.signing.scans import ScanListed, scans_of


@dataclass(frozen=True)
class Returned:
    """The payer's own word about one order, and the evidence of what they signed."""

    posted_on: date | None
    scans: Sequence[ScanListed]
    signed: Sequence[OnlineSigning]

    @property
    def is_anything(self) -> bool:
        """Whether there is anything of it."""
        return bool(self.posted_on or self.scans or self.signed)


def returned_of(session: Session, order: Order) -> Returned:
    """All that the payer of this order returned, the earliest first."""
    query = select(OnlineSigning).where(
        OnlineSigning.onboarding_id == order.onboarding_id,
        col(OnlineSigning.signed_at).is_not(None),
    )
    signed = session.exec(query.order_by(col(OnlineSigning.signed_at))).all()
    return Returned(order.posted_on, scans_of(session, order.onboarding_id), signed)
