"""The table of mails and texts: written with the reason for them, sent afterwards."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, Text
from sqlmodel import Field

from shared.persistence.entity import index_of, moment
from shared.processing.store.tables import ProcessingTable

WAITING = "waiting"
SENT = "sent"
FAILED = "failed"
CANCELLED = "cancelled"


class Notification(ProcessingTable, table=True):
    """One mail or text: which template, to whom, filled with what, and what became of it.

    `params` hold no secret: credentials are made while sending. A `waiting` row is sent when
    due; while one process sends it, `due_at` lies ahead, so that a crash makes it due again. A
    `failed` row stays until a person decides: it is `waiting` again (retried), or `cancelled`.
    `traceparent` is the trace of the message that led to it, for what is said once it has left.
    """

    __tablename__ = "notification"
    __table_args__ = (
        index_of("status = 'waiting'", "notification_waiting", "due_at"),
        index_of("status = 'failed'", "notification_failed", "created_at"),
        Index("notification_onboarding", "onboarding_id"),
        Index("notification_created", "created_at"),
    )

    id: str = Field(primary_key=True, max_length=36)
    onboarding_id: str = Field(max_length=36)
    kind: str = Field(max_length=60)
    channel: str = Field(max_length=10)
    recipient: str = Field(max_length=320)
    language: str = Field(max_length=2)
    params: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    status: str = Field(max_length=10)
    created_at: datetime = Field(sa_column=moment())
    due_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    attempts: int = 0
    sent_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    provider_id: str | None = Field(default=None, max_length=200)
    error: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    traceparent: str | None = Field(default=None, max_length=255)
    decided_by: str | None = Field(default=None, max_length=200)
    decided_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    decision: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
