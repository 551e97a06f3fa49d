"""The confirmation is fit to keep: archivable, accessible, and of the same bytes each time."""

import pickle
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date

from services.billing.confirmation.document import Confirmation, Document, render_pdf
from tests.unit.billing.paper import CONFIRMATION, ORDER, borne_by_all, catalog_of, read

FINGERPRINT = "9ce0e4cf26d0a277a794af6aec00b000d1a97d68b93225f7b87c36449ae8665c"
"""Of the example on paper; the payers of ordinary names were told theirs when it was sent."""


def test_the_document_of_an_ordinary_name_keeps_its_bytes_from_one_version_to_the_next() -> None:
    assert Document.of(CONFIRMATION).sha256 == FINGERPRINT


def test_what_was_set_before_leaves_no_trace_in_a_document() -> None:
    # Given documents of every kind, the first of them by a process that has set nothing yet,
    kinds = [
        replace(CONFIRMATION, language="en", scheme="B2B"),
        CONFIRMATION,
        replace(CONFIRMATION, iban=None, account_holder=None, customer_number=None),
        replace(CONFIRMATION, covered=date(2026, 1, 5)),
        borne_by_all("金龍酒樓 👍🏽 Łódź"),
    ]
    fresh = made_anew(kinds[0])
    # When one compiler makes them all, one after the other and back again,
    render_pdf.cache_clear()
    forth = [render_pdf(confirmation) for confirmation in kinds]
    render_pdf.cache_clear()
    back = [render_pdf(confirmation) for confirmation in reversed(kinds)]
    # Then what it remembers of one document is in no other.
    assert forth == back[::-1]
    assert forth[0] == fresh


def made_anew(confirmation: Confirmation) -> bytes:
    """The document as a process makes it that has made no other."""
    program = (
        "import pickle, sys\n"
        "from services.billing.confirmation.document import render_pdf\n"
        "confirmation = pickle.load(sys.stdin.buffer)\n"
        "sys.stdout.buffer.write(render_pdf(confirmation))\n"
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        input=pickle.dumps(confirmation),
        stdout=subprocess.PIPE,
        check=True,
    ).stdout


def test_the_document_is_archivable_and_accessible() -> None:
    # Given a document, When its metadata are read,
    document = read(CONFIRMATION)
    catalog = catalog_of(document)
    metadata = catalog["/Metadata"].get_data().decode()
    # Then it declares PDF/A-2a and PDF/UA-1, is tagged, has a title and a language.
    assert re.search(r"pdfaid:part>2<", metadata)
    assert re.search(r"pdfaid:conformance>A<", metadata)
    assert re.search(r"pdfuaid:part>1<", metadata)
    assert catalog["/MarkInfo"]["/Marked"]
    assert catalog["/Lang"] == "nl"
    assert document.metadata is not None
    assert document.metadata.title == f"Order- en incassobevestiging {ORDER}"


def test_an_order_gives_the_same_bytes_each_time_and_another_gives_others() -> None:
    # Given one order twice, and another, When their documents are made,
    first = Document.of(CONFIRMATION)
    render_pdf.cache_clear()
    again = Document.of(replace(CONFIRMATION))
    other = Document.of(replace(CONFIRMATION, order_reference="O-2026-000124"))
    # Then a fingerprint names exactly one of them.
    assert first.sha256 == again.sha256 != other.sha256
