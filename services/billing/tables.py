"""The base of billing's own tables."""

from sqlalchemy import MetaData
from sqlmodel import SQLModel


class BillingTable(SQLModel):
    """The base of this service's own tables."""

    metadata = MetaData()
