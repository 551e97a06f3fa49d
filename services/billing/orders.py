"""Finding orders: among those that are loaded, and by what a person has of them."""

from sqlmodel import Session, col, select

from services.billing.models import Order
from services.billing.models.order import company_key
from shared.base.errors import NotFound
from shared.processing import Loaded
from shared.web.paging import Page

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


def find_orders(
    session: Session,
    page: Page,
    office: str | None,
    stage: str | None,
    q: str | None,
    reference: str | None,
) -> list[Order]:
    """A page of placed orders: of one office, at one stage, by reference or by company.

    `q` is what a person looks for; `reference` the same, read as an order's reference. A company
    is found by how its name begins, and the list is in the order of the names.
    """
    query, name = select(Order).where(col(Order.reference).is_not(None)), col(Order.company_key)
    if office is not None:
        query = query.where(Order.office_code == office)
    if stage is not None:
        query = query.where(Order.stage == stage)
    if q and reference and session.exec(query.where(Order.reference == reference)).first():
        query = query.where(Order.reference == reference)
    elif q:
        begin = company_key(q)
        query = query.where(name >= begin, name < begin + LAST)
    return page.read(session, query, name, col(Order.reference))
