"""An example confirmation, and what can be read on its paper."""

import io
import re
from dataclasses import replace
from datetime import date
from typing import Any

from pypdf import PdfReader

from services.billing.confirmation.document import Confirmation, render_pdf
from services.billing.confirmation.notices import scan_token
from shared.events.shapes import Address, Contact, Customer, Office, Package
from shared.host.settings import Creditor, Settings
from shared.trade.catalogue import Catalogue

COMPANY = "Bakkerij De Korenaar"
KEY = "k" * 32
ORDER = "O-2026-000123"
CONFIRMATION = Confirmation(
    order_reference=ORDER,
    order_date=date(2026, 11, 24),
    language="nl",
    creditor=Creditor(),
    payer_name=COMPANY,
    payer_email="anna@korenaar.example",
    customer=Customer(
        company=COMPANY,
        kvk="01234567",
        address=Address(
            street="Dorpsstraat", number="12a", postcode="1234 AB", city="Voorbeeldstad"
        ),
        contact=Contact(first_name="Anna", last_name="Voorbeeld"),
        email="anna@korenaar.example",
    ),
    customer_number="K-100123",
    office=Office(code="0042", name="Administratiekantoor De Linde", email="k@delinde.example"),
    quote=Catalogue.load(Settings().catalogue).price(
        Package(code="compleet", modules=("bank", "scan"))
    ),
    mandate_reference="M-2026-000123",
    scheme="CORE",
    iban="NL91ABNA0417164300",
    account_holder=COMPANY,
    collect_not_before=date(2026, 12, 8),
    prenotification_days=14,
    token=scan_token(ORDER, KEY),
)


def read(confirmation: Confirmation) -> PdfReader:
    return PdfReader(io.BytesIO(render_pdf(confirmation)))


def catalog_of(document: PdfReader) -> dict[str, Any]:
    """What the document says of itself, at its root."""
    return {key: value.get_object() for key, value in document.root_object.items()}


def text_of(confirmation: Confirmation) -> str:
    """All that stands on the document, with single spaces, as if no line ended anywhere."""
    pages = " ".join(page.extract_text() for page in read(confirmation).pages)
    return re.sub(r"\s+", " ", pages.replace("\N{SOFT HYPHEN}", "").replace("-\n", "-"))


def plain(text: str) -> str:
    """Without blanks and hyphens: where a line broke does not matter."""
    return re.sub(r"[\s\N{SOFT HYPHEN}\N{ZERO WIDTH SPACE}-]+", "", text)


def stands_on(confirmation: Confirmation, sentence: str) -> bool:
    return plain(sentence) in plain(text_of(confirmation))


def borne_by_all(name: str) -> Confirmation:
    """A confirmation on which everybody has this name, and the street too."""
    customer = CONFIRMATION.customer
    address = customer.address.model_copy(update={"street": name})
    return replace(
        CONFIRMATION,
        customer=customer.model_copy(update={"company": name, "address": address}),
        payer_name=name,
        account_holder=name,
        office=CONFIRMATION.office.model_copy(update={"name": name}),
    )
