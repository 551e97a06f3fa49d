"""The base of billing's own tables."""

from sqlalchemy import MetaData

from shared.persistence.entity import Entity


class BillingTable(Entity):
    """The base of this service's own tables."""

    metadata = MetaData()
