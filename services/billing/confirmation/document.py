"""The order/direct-debit confirmation as a PDF: archivable, accessible, the same bytes each time.

What the mandate must show, and in which words, is the banks' (Betaalvereniging Nederland,
European Payments Council). PDF/A-2a and PDF/UA-1 are built by typst, which refuses a document
that is not accessible.
"""

import hashlib
import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

import structlog

from services.billing.confirmation.glyphs import (
    FONTS,
    FontCoverage,
    coverages,
    families,
    showable,
)
from services.billing.confirmation.scan_code import as_svg
from shared.base.errors import Reject
from shared.events.shapes import Address, Customer, Language, Office
from shared.host.settings import Creditor
from shared.notifications.senders.outgoing import Attachment
from shared.trade.catalogue import Quote
from shared.trade.formats import day, iban_groups, money

FOLDER = Path(__file__).parents[1] / "templates" / "confirmation"
"""The typst source, and the words of each language."""
MAIN = b'#include "confirmation.typ"'
"""What is handed to typst beside the data; the template itself it reads once, from its folder."""
STANDARDS = ["a-2a", "ua-1"]

NOT_MADE = "the confirmation cannot be made"
"""How the reason of a mail begins that failed because there is no document to go with it."""

PICTURE_PPI = 72.0
QUOTED = re.compile(r'`.*?`|".*?"', re.DOTALL)
MAX_REASON_CHARACTERS = 200

log = structlog.get_logger()

_compiling = threading.Lock()


class DocumentNotMade(Reject):
    """The confirmation cannot be made, however often it is tried; the reason is typst's."""


@dataclass(frozen=True)
class Confirmation:
    """Everything that stands on the document.

    `token` is what the QR code holds: it names the order to whoever scans the document when it
    comes back, and tells nobody anything about the payer. `covered` says that the payer signed a
    standing mandate before, on `covered`, and need not sign again.
    """

    order_reference: str
    order_date: date
    language: Language
    creditor: Creditor
    payer_name: str
    payer_email: str
    customer: Customer
    customer_number: str | None
    office: Office
    quote: Quote
    mandate_reference: str
    scheme: Literal["CORE", "B2B"]
    iban: str | None
    account_holder: str | None
    collect_not_before: date
    prenotification_days: int
    token: str
    covered: date | None = None

    def attachment(self) -> Attachment:
        """The document, to go with a mail."""
        document = Document.of(self)
        return Attachment(document.filename, "application/pdf", document.content)


@dataclass(frozen=True)
class Document:
    """A confirmation as a PDF."""

    filename: str
    content: bytes

    @classmethod
    def of(cls, confirmation: Confirmation) -> "Document":
        """Make the document."""
        name = f"orderbevestiging-{confirmation.order_reference}.pdf"
        return cls(name, render_pdf(confirmation))

    @property
    def sha256(self) -> str:
        """The fingerprint by which a returned document is recognised."""
        return hashlib.sha256(self.content).hexdigest()


@lru_cache(maxsize=64)
def render_pdf(confirmation: Confirmation) -> bytes:
    """The document; the same confirmation gives the same bytes.

    The last ones are kept: payer and office get the same document one after the other.

    Raises:
        DocumentNotMade: typst refuses it, whatever signs are left out.
    """
    data, qr = _data(confirmation), as_svg(confirmation.token)
    try:
        return bytes(_compile(_in_glyphs(data), qr, pdf_standards=STANDARDS))
    except RuntimeError as error:
        log.warning("document_set_in_plain_letters", reason=_reason(error))
    # Whatever a rare script asks of a font, its customer gets their document: in the letters of
    # the text's own font, which need nothing of the kind.
    try:
        return bytes(_compile(_in_glyphs(data, coverages()[:1]), qr, pdf_standards=STANDARDS))
    except RuntimeError as error:
        raise DocumentNotMade(f"{NOT_MADE}: {_reason(error)}") from None


def render_picture(confirmation: Confirmation) -> bytes:
    """The first page of the document as a PNG, for who only wants a look at it.

    Raises:
        RuntimeError: typst refuses it.
    """
    pages = _compile(
        _in_glyphs(_data(confirmation)), as_svg(confirmation.token), format="png", ppi=PICTURE_PPI
    )
    return bytes(pages[0] if isinstance(pages, list) else pages)


def _in_glyphs(value: Any, fonts: Sequence[FontCoverage] | None = None) -> Any:
    """The data with each text in what these fonts can show."""
    if isinstance(value, str):
        return showable(value, fonts)
    if isinstance(value, dict):
        return {key: _in_glyphs(part, fonts) for key, part in value.items()}
    return [_in_glyphs(part, fonts) for part in value] if isinstance(value, list) else value


def _compile(data: Mapping[str, Any], qr: str, **options: Any) -> Any:
    text = json.dumps({**data, "fonts": families()}, ensure_ascii=False)
    # As files in memory, and not as inputs: another input is another standard library to typst,
    # which then sets all anew that it had set for the document before.
    files = {"main.typ": MAIN, "data.json": text.encode(), "code.svg": qr.encode()}
    try:
        with _compiling:
            return _compiler().compile(files, **options)
    except BaseException as error:
        # To Python a panic within typst is no Exception: it would end the thread that sends.
        if type(error).__name__ == "PanicException":
            raise RuntimeError("typst panicked") from None
        raise


def _reason(error: RuntimeError) -> str:
    """What typst says, without what it quotes: that may be a customer's name."""
    return QUOTED.sub("…", str(error))[:MAX_REASON_CHARACTERS]


@cache
def _compiler() -> Any:
    """One compiler for all documents: to make it costs as much as a document.

    Only the fonts within it and those beside the template are used, never the machine's, so that
    every machine makes the same bytes.
    """
    import typst

    return typst.Compiler(root=str(FOLDER), font_paths=[str(FONTS)], ignore_system_fonts=True)


def _data(confirmation: Confirmation) -> dict[str, Any]:
    """What the template asks for: words and amounts as they are to stand there."""
    language = confirmation.language
    gross = money(confirmation.quote.gross_cents, language)
    return {
        "language": language,
        "order_reference": confirmation.order_reference,
        "customer_number": confirmation.customer_number,
        "date": {
            "year": confirmation.order_date.year,
            "month": confirmation.order_date.month,
            "day": confirmation.order_date.day,
            "text": day(confirmation.order_date, language),
        },
        **_parties(confirmation),
        "lines": [
            {
                "description": line.description(language),
                "amount": money(line.net_cents, language) if line.net_cents else None,
            }
            for line in confirmation.quote.lines
        ],
        "net": money(confirmation.quote.net_cents, language),
        "vat_percent": str(confirmation.quote.vat_percent),
        "vat": money(confirmation.quote.vat_cents, language),
        "gross": gross,
        "mandate": {
            "reference": confirmation.mandate_reference,
            "scheme": confirmation.scheme,
            "iban": confirmation.iban and _unbroken(iban_groups(confirmation.iban)),
            "holder": confirmation.account_holder,
        },
        "covered": confirmation.covered is not None,
        "values": _values(confirmation, gross),
    }


def _parties(confirmation: Confirmation) -> dict[str, Any]:
    creditor = confirmation.creditor
    return {
        "creditor": {
            "name": creditor.name,
            "lines": [
                creditor.address,
                f"{creditor.postcode} {creditor.city}",
                creditor.country,
            ],
            "identifier": creditor.identifier,
            "email": creditor.email,
            "phone": _unbroken(creditor.phone),
        },
        "customer": {
            "company": confirmation.customer.company,
            "lines": _address(confirmation.customer.address),
            "kvk": confirmation.customer.kvk,
        },
        "payer": {"name": confirmation.payer_name, "email": confirmation.payer_email},
        "office": {"name": confirmation.office.name, "email": confirmation.office.email},
    }


def _values(confirmation: Confirmation, gross: str) -> dict[str, str]:
    """What sentences are filled in with, by the names between braces."""
    language, covered = confirmation.language, confirmation.covered
    return {
        "creditor": confirmation.creditor.name,
        "order": confirmation.order_reference,
        "office": confirmation.office.name,
        "gross": gross,
        "per": PER[language][confirmation.quote.frequency],
        "collect_on": day(confirmation.collect_not_before, language),
        "days": str(confirmation.prenotification_days),
        "return_address": confirmation.creditor.return_address,
        "fax": _unbroken(confirmation.creditor.fax),
        "reference": confirmation.mandate_reference,
        "holder": confirmation.account_holder or confirmation.payer_name,
        "signed_on": day(covered, language) if covered else "",
        "company": confirmation.customer.company,
    }


PER: dict[Language, dict[str, str]] = {
    "nl": {"yearly": "per jaar", "monthly": "per maand"},
    "en": {"yearly": "per year", "monthly": "per month"},
}


def _address(address: Address) -> list[str]:
    lines = [f"{address.street} {address.number}", f"{address.postcode} {address.city}"]
    return lines if address.country == "NL" else [*lines, address.country]


def _unbroken(number: str) -> str:
    """A telephone number that no line break can cut."""
    return number.replace(" ", "\N{NO-BREAK SPACE}")
