"""A small table, and transactions about it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Integer,
    MetaData,
    bindparam,
    literal,
    select,
)
from sqlmodel import Field, Session, col

from shared.persistence.database import Database
from shared.persistence.entity import Entity
from shared.persistence.statements import Statement
from tests.servers.postgres import MakeDatabase


class ParcelTable(Entity):
    metadata = MetaData()


class Parcel(ParcelTable, table=True):
    """Something that is sent."""

    id: str = Field(primary_key=True, max_length=36)
    weight: int = 0
    label: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))


WEIGHTS = Statement(select(col(Parcel.id), col(Parcel.weight)).order_by(col(Parcel.id)))
ONE = Statement(select(literal(1)))
DIVIDED = Statement(select(literal(1) // bindparam("by", type_=Integer())))


def found(database: Database) -> list[tuple[str, int]]:
    with database.read() as session:
        return [(row[0], row[1]) for row in WEIGHTS.fetch(session, {})]


def transact(database: Database, work: Callable[[Session], object]) -> None:
    """Do this in one transaction."""
    with database.begin() as session:
        work(session)


def line(session: Session) -> Any:
    return session.connection().connection.dbapi_connection


@contextmanager
def parcels(make_database: MakeDatabase) -> Iterator[Database]:
    database = Database(make_database("parcels"))
    ParcelTable.metadata.create_all(database.engine)
    yield database
    database.close()
