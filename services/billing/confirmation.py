"""The order/direct-debit confirmation as a PDF."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Literal

import typst

from shared.catalogue import Quote
from shared.events.shapes import Customer, Language, Office
from shared.settings import Creditor

TEMPLATE = b"""
#let data = json(bytes(sys.inputs.data))
#set document(title: data.title, date: none)
#set text(lang: data.language)
= #data.title
#data.company
"""


@dataclass(frozen=True)
class Confirmation:
    """Everything that stands on the document."""

    order_reference: str
    order_date: date
    language: Language
    creditor: Creditor
    payer_name: str
    payer_email: str
    customer: Customer
    office: Office
    quote: Quote
    mandate_reference: str
    scheme: Literal["CORE", "B2B"]
    iban: str | None
    account_holder: str | None
    collect_not_before: date


def render_pdf(confirmation: Confirmation) -> bytes:
    """The document."""
    data = {
        "title": f"Orderbevestiging {confirmation.order_reference}",
        "language": confirmation.language,
        "company": confirmation.customer.company,
    }
    return bytes(typst.compile(TEMPLATE, sys_inputs={"data": json.dumps(data)}))
