"""The first page of an order's confirmation as a picture, made of what the document is made of."""

import re

from sqlmodel import select

from infra.demo.playground.playground import Playground
from services.billing.confirmation.document import render_picture
from services.billing.confirmation.notices import Documents
from services.billing.models import Order

CONFIRMATION = re.compile(r"orderbevestiging-(O-\d{4}-\d+)\.pdf")


def first_page_of(playground: Playground, file_name: str) -> bytes | None:
    """A PNG of the confirmation of this file name; None when it is no confirmation of ours."""
    match = CONFIRMATION.fullmatch(file_name)
    if match is None:
        return None
    billing = playground.runtime("billing")
    with billing.reading() as session:
        order = session.exec(select(Order).where(Order.reference == match[1])).one_or_none()
        if order is None:
            return None
        confirmation = billing.resource(Documents).confirmation_of(session, order)
    return render_picture(confirmation)
