"""What a payer returned by themselves: scans of the signed paper, and signatures given online.

A scan is kept in the database and not in a folder of files: it is written in the transaction that
records its arrival, every replica sees it, and one backup holds it beside the order. A scan signs
nothing; a person at KING looks at it and records the signature.
"""

from datetime import datetime, timedelta

from sqlalchemy import Column, Index, LargeBinary, Text
from sqlmodel import Field

from services.billing.models.table import BillingTable
from shared.persistence.entity import moment

MAX_TRIES = 5
CODE_GOOD_FOR = timedelta(minutes=30)
"""Between what NIST SP 800-63B-4, section 4.2, allows by text (10 minutes) and by mail (a day)."""


class Scan(BillingTable, table=True):
    """One file that the payer sent in: a scan of the signed confirmation."""

    __tablename__ = "order_scan"
    __table_args__ = (Index("order_scan_onboarding", "onboarding_id"),)

    id: str = Field(primary_key=True, max_length=36)
    onboarding_id: str = Field(max_length=36)
    media_type: str = Field(max_length=40)
    size: int
    sha256: str = Field(max_length=64)
    address: str = Field(default="", max_length=64)
    received_at: datetime = Field(sa_column=moment())
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class OnlineSigning(BillingTable, table=True):
    """One signature given online, from what was filled in until the code that came by mail.

    All of it is the evidence: what was agreed to (`consent`, the fingerprint of the document), by
    whom and where, to which address the code went, and from where and when it came back. Of the
    code only a keyed fingerprint is kept. A later one of the same onboarding voids it.
    """

    __tablename__ = "online_signing"
    __table_args__ = (Index("online_signing_onboarding", "onboarding_id"),)

    id: str = Field(primary_key=True, max_length=36)
    onboarding_id: str = Field(max_length=36)
    name: str = Field(max_length=200)
    place: str = Field(max_length=100)
    iban: str | None = Field(default=None, max_length=34)
    account_holder: str | None = Field(default=None, max_length=200)
    consent: str = Field(sa_column=Column(Text, nullable=False))
    document_sha256: str = Field(max_length=64)
    sent_to: str = Field(max_length=320)
    asked_at: datetime = Field(sa_column=moment())
    codes: int = 0
    code_hash: str | None = Field(default=None, max_length=64)
    code_expires_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    tries: int = 0
    voided_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    signed_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    address: str | None = Field(default=None, max_length=64)
    user_agent: str | None = Field(default=None, max_length=300)

    @property
    def open(self) -> bool:
        """Whether a code still can complete it."""
        return self.signed_at is None and self.voided_at is None

    def equip(self, code_hash: str, now: datetime) -> None:
        """Take the fingerprint of a fresh code; the former one is of no use any more."""
        self.code_hash, self.tries = code_hash, 0
        self.code_expires_at = now + CODE_GOOD_FOR

    def takes(self, now: datetime) -> bool:
        """Whether a code may still be tried."""
        is_fresh = self.code_expires_at is not None and now < self.code_expires_at
        return self.open and is_fresh and self.tries < MAX_TRIES

    def void(self, now: datetime) -> None:
        """Have no code complete it any more, unless one has."""
        if self.open:
            self.voided_at = now

    def complete(self, now: datetime, address: str, user_agent: str) -> None:
        """Keep when the right code came back, and from where."""
        self.signed_at, self.address, self.user_agent = now, address[:64], user_agent[:300]
