"""Reading a large table a page at a time: memory holds a page, however many rows there are."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, bindparam, tuple_
from sqlmodel import Session

from shared.persistence.database import Database

PAGE = 1000

Rows = Sequence[Row[Any]]


def pages(database: Database, query: Any, *order: Any, descending: bool = False) -> Iterator[Rows]:
    """The rows of a query, in this order, which tells every row from all others.

    Each page is a transaction of its own, so that no database keeps a snapshot for as long as an
    audit takes. `order` are the first columns that it selects, none of them ever null.
    """
    wanted = query.order_by(*(column.desc() if descending else column for column in order))
    place: Any = tuple_(*order)
    page: Rows = ()
    while True:
        read = wanted
        if page:
            last = tuple_(
                *(bindparam(None, page[-1][at], type_=col.type) for at, col in enumerate(order))
            )
            read = wanted.where(place < last if descending else place > last)
        with database.read() as session:
            page = list(session.execute(read.limit(PAGE)))
        if page:
            yield page
        if len(page) < PAGE:
            return


def portions(session: Session, query: Any) -> Iterator[Rows]:
    """The rows of a query in whatever order, a page at a time, all in this one transaction.

    For the few that a partial index has: an order of their own would have all others read.
    """
    yield from session.execute(query.execution_options(yield_per=PAGE)).partitions()
