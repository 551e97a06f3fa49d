"""Finding orders: among those that are loaded, and by what a person has of them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from sqlalchemy import ColumnElement, and_, case, func, not_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from services.billing.models import Order
from services.billing.models.order import Stage, company_key
from shared.base.errors import NotFound
from shared.base.text import findable
from shared.processing import Loaded
from shared.trade.references import as_onboarding_id
from shared.web.auth import Caller, not_there

if TYPE_CHECKING:
    from shared.web.paging import Page

Listed = Literal["unsigned", "signed", "released", "suspended"]
"""How far the orders of a list have come."""
STILL_OPEN = (Stage.UNSIGNED.value, Stage.SIGNED.value, Stage.SUSPENDED.value)
"""Stages of orders that a paper may still come of."""

LAST = chr(0x10FFFF)
"""No text sorts after this code point, which means nothing."""


def find_order(orders: Loaded[Order], reference: str) -> Order | None:
    """The loaded order by this reference, if there is one."""
    return next(iter(orders.where(reference=reference)), None)


def require_order(orders: Loaded[Order], reference: str) -> Order:
    """The loaded order by this reference.

    Raises:
        NotFound: there is none.
    """
    order = find_order(orders, reference)
    if order is None:
        raise NotFound("not_found", "There is no order by that reference.")
    return order


def load_order(session: Session, caller: Caller, reference: str) -> Order:
    """The placed order by its reference, or by its onboarding id.

    Raises:
        NotFound: there is none, or it is another office's.
    """
    onboarding_id = as_onboarding_id(reference)
    if onboarding_id is not None:
        order = session.get(Order, onboarding_id)
    else:
        order = session.exec(select(Order).where(Order.reference == reference)).one_or_none()
    if order is None or not order.placed:
        raise not_there()
    caller.require_office(order.office_code)
    return order


def find_orders(
    session: Session,
    page: "Page",
    office: str | None,
    stage: Listed | None,
    q: str | None,
    reference_of: Callable[[str], str],
    *,
    by_payer: bool = False,
) -> list[Order]:
    """A page of placed orders: of one office, at one stage, by reference or by company.

    `q` is what a person looks for; `reference_of` reads it as an order's reference. A company
    is found by how its name begins, and the list is in the order of the names. `by_payer` has
    those follow whom only their payer's name finds: among the orders that a paper may still come
    of, which are few, since each of them is looked at.

    Raises:
        NotFound: `q` is the text of a QR code whose seal is not right.
    """
    query, name = _placed(office, stage), col(Order.company_key)
    order = name, col(Order.reference)
    q = findable(q or "")
    if not q:
        return page.read(session, query, *order)
    by_reference = query.where(Order.reference == reference_of(q))
    if session.exec(by_reference).first():
        return page.read(session, by_reference, *order)
    begin = company_key(q)
    is_company = and_(name >= begin, name < begin + LAST)
    rows = page.read(session, query.where(is_company), *order, then="payer" if by_payer else None)
    if not by_payer:
        return rows
    others = query.where(not_(is_company), _payer_begins(q))
    return rows + page.read(session, others, *order, part="payer")


def _placed(office: str | None, stage: Listed | None) -> SelectOfScalar[Order]:
    query = select(Order).where(col(Order.reference).is_not(None))
    if office is not None:
        query = query.where(Order.office_code == office)
    return query if stage is None else query.where(Order.stage == stage)


def _payer_begins(q: str) -> ColumnElement[bool]:
    """Whether it is open, and the name of whoever pays, as it is printed, begins like this."""
    registered = col(Order.registered)
    kind, name, office = (
        registered[path].as_string()
        for path in (("payer", "kind"), ("payer", "name"), ("office", "name"))
    )
    own_name = case((kind == "office", func.coalesce(name, office)), else_=name)
    return and_(col(Order.stage).in_(STILL_OPEN), own_name.istartswith(q, autoescape=True))
