"""Sending login details to many customers at once: who was in the selection, and who refused."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field

from services.activation.models import ActivationTable
from shared.persistence.entity import moment


class ActivationRound(ActivationTable, table=True):
    """One selection that was activated together; what becomes of each is read from the customer.

    `customers` holds, for each, the id, the channel, and why it was refused (a code, or None).
    """

    __tablename__ = "activation_round"

    id: str = Field(primary_key=True, max_length=36)
    office_code: str | None = Field(default=None, max_length=35)
    ordered_by: str = Field(max_length=120)
    ordered_at: datetime = Field(sa_column=moment())
    customers: Sequence[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False))
