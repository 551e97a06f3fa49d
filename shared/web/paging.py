"""Lists, a page at a time: each page begins where the one before it ended.

A page is found by its place in the order, never by counting past the rows before it, so that the
thousandth costs what the first does. The answer stays a plain list of at most `LARGEST` rows; the
address of the next page is in the header `Link` (RFC 8288), for whoever wants more.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar, overload

from fastapi import Query, Request
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json
from sqlalchemy import ColumnElement, Row, bindparam, tuple_
from sqlalchemy import Select as Columns
from sqlmodel import Session, SQLModel
from sqlmodel.sql.expression import Select, SelectOfScalar

from shared.base.errors import FieldError, Invalid
from shared.base.text import NO_TEXT
from shared.persistence.entity import UtcDateTime
from shared.web.answers import set_header

LARGEST = 500
"""Rows of the largest page: what a request may hold in memory at once."""

LONGEST_AFTER = 2400
"""Two texts of 200 characters, of four bytes each, and a part's name; base64 adds a third."""

NEXT_PAGE: dict[int | str, dict[str, Any]] = {
    200: {
        "headers": {
            "Link": {
                "description": 'The address of the next page (`rel="next"`), when there may be one',
                "schema": {"type": "string"},
            }
        }
    }
}
"""For the OpenAPI document of a list."""

YEARS = range(1900, 3000)
"""Of moments that a list may hold."""

T = TypeVar("T")
U = TypeVar("U")
_PLACE = TypeAdapter(tuple[Annotated[str, Query(max_length=200)], ...])


class Page:
    """The page that a request asks for; a dependency of each route that lists.

    A list may consist of several parts, one after the other, each in an order of its own. `next`
    is the address of the page after this one, once it was read and there may be one.
    """

    def __init__(
        self,
        request: Request,
        limit: Annotated[int, Query(ge=1, le=LARGEST, description="rows of a page")] = 100,
        after: Annotated[
            str | None,
            Query(
                max_length=LONGEST_AFTER, description="where the page before ended, from its `Link`"
            ),
        ] = None,
    ) -> None:
        self._request = request
        self._room = limit
        self._part: str | None = None
        self._place: Sequence[str] = ()
        self.next: str | None = None
        if after is not None:
            self._part, self._place = _read(after)

    @overload
    def read(
        self,
        session: Session,
        query: SelectOfScalar[T],
        *order: Any,
        descending: bool = False,
        part: str = "",
        then: str | None = None,
    ) -> list[T]: ...

    @overload
    def read(
        self,
        session: Session,
        query: Select[T, U],
        *order: Any,
        descending: bool = False,
        part: str = "",
        then: str | None = None,
    ) -> list[tuple[T, U]]: ...

    @overload
    def read(
        self,
        session: Session,
        query: Columns[*tuple[Any, ...]],
        *order: Any,
        descending: bool = False,
        part: str = "",
        then: str | None = None,
    ) -> list[Row[*tuple[Any, ...]]]: ...

    def read(
        self,
        session: Session,
        query: Any,
        *order: Any,
        descending: bool = False,
        part: str = "",
        then: str | None = None,
    ) -> list[Any]:
        """The rows of this page.

        `order` are among the columns that the query selects, or of its first entity; together they
        tell every row from all others, none is ever null, and an index has them in this order.
        `then` is the part that is read after this one, if one is.

        Raises:
            Invalid: `after` is none that this list has given.
        """
        if self._part not in (None, part, then):
            raise _unknown()
        if not self._room or self._part not in (None, part):
            return []
        if self._part is not None:
            begin = self._begin(order)
            place = tuple_(*order)
            query = query.where(place < begin if descending else place > begin)
            self._part = None  # Another part that follows is read from its start.
        ordered = query.order_by(*(column.desc() if descending else column for column in order))
        rows = list(session.exec(ordered.limit(self._room)))
        self._room -= len(rows)
        if rows and not self._room:
            last = _ordered(rows[-1])
            self._announce(part, [getattr(last, column.key) for column in order])
        return rows

    def _begin(self, order: Sequence[Any]) -> ColumnElement[Any]:
        if len(order) != len(self._place):
            raise _unknown()
        pairs = zip(order, self._place, strict=True)
        return tuple_(
            *(bindparam(None, _value(column, given), type_=column.type) for column, given in pairs)
        )

    def _announce(self, part: str, place: Sequence[Any]) -> None:
        written = [one.isoformat() if isinstance(one, datetime) else str(one) for one in place]
        after = urlsafe_b64encode(to_json([part, *written])).decode().rstrip("=")
        url = self._request.url.include_query_params(after=after)
        self.next = f"{url.path}?{url.query}"
        set_header(self._request, "Link", f'<{self.next}>; rel="next"')


def _ordered(row: Any) -> Any:
    """What has the columns of the order: the first entity of a row, or the row itself."""
    return row[0] if isinstance(row, Row) and isinstance(row[0], SQLModel) else row


def _read(after: str) -> tuple[str, tuple[str, ...]]:
    try:
        part, *place = _PLACE.validate_json(urlsafe_b64decode(after + "=" * (-len(after) % 4)))
    except (ValueError, ValidationError):
        raise _unknown() from None
    # Whatever a name may hold, there is a page after it.
    if any(NO_TEXT.search(text) for text in place):
        raise _unknown()
    return part, tuple(place)


def _value(column: Any, given: str) -> Any:
    if not isinstance(column.type, UtcDateTime):
        return given
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise _unknown() from None
    # No row is of a time whose neighbours no calendar has: converting it would fail.
    if moment.tzinfo is None or moment.year not in YEARS:
        raise _unknown()
    return moment


def _unknown() -> Invalid:
    message = "No page ended there; take `after` from the `Link` of the page before."
    error = FieldError(field="after", code="after_unknown", message=message)
    return Invalid("after_unknown", message, errors=[error])
