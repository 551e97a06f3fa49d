"""The order/direct-debit confirmation: what stands on it, and that it is fit to keep."""

import io
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from structlog.testing import capture_logs

from services.billing.confirmation import document
from services.billing.confirmation.document import Confirmation, Document, render_pdf
from services.billing.confirmation.notices import scan_token
from shared.base.errors import Reject
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


def test_the_mandate_shows_all_that_banks_ask_for() -> None:
    # Given a Core mandate, When the document is made, Then each required element is on it.
    for element in (
        "Doorlopende SEPA-machtiging",
        "KING Software B.V. (voorbeeld)",
        "Voorbeeldweg 1",
        "1234 AB Voorbeeldstad",
        "Nederland",
        "NL69ZZZ123456780000",
        "M-2026-000123",
        "NL91 ABNA 0417 1643 00",
        COMPANY,
        "Plaats",
        "Datum",
        "Handtekening",
        f"Order {ORDER} voor {COMPANY}, per jaar",
    ):
        assert stands_on(CONFIRMATION, element), element


def test_a_core_payer_reads_that_they_may_have_the_money_back_for_eight_weeks() -> None:
    assert stands_on(
        CONFIRMATION,
        "Door ondertekening van dit formulier geeft u toestemming aan (A) KING Software B.V. "
        "(voorbeeld) om doorlopende incasso-opdrachten te sturen naar uw bank om een bedrag van "
        "uw rekening af te schrijven en (B) aan uw bank om doorlopend een bedrag van uw rekening "
        "af te schrijven overeenkomstig de opdracht van KING Software B.V. (voorbeeld). Als u het "
        "niet eens bent met deze afschrijving kunt u deze laten terugboeken. Neem hiervoor binnen "
        "8 weken na afschrijving contact op met uw bank. Vraag uw bank naar de voorwaarden.",
    )


def test_a_business_payer_reads_that_they_may_not_and_that_their_bank_must_know() -> None:
    # Given a mandate between businesses, When the document is made,
    business = replace(CONFIRMATION, scheme="B2B")
    # Then it bears the other title, the other text, and one step more.
    for sentence in (
        "Doorlopende SEPA-machtiging bedrijven",
        "zakelijke doorlopende incasso-opdrachten",
        "Na afschrijving heeft u geen recht om het bedrag terug te laten boeken.",
        "Meld de machtiging aan bij uw bank",
    ):
        assert stands_on(business, sentence), sentence
        assert not stands_on(CONFIRMATION, sentence), sentence
    assert not stands_on(business, "8 weken")


def test_amounts_stand_in_the_payers_own_way_of_writing() -> None:
    # Given 348.00 with 36.00 and 72.00, and 21 % VAT, When they read Dutch, or English,
    dutch, english = text_of(CONFIRMATION), text_of(replace(CONFIRMATION, language="en"))
    # Then each line, the VAT and the total are as they would write them.
    for amount in ("348,00", "36,00", "72,00", "456,00", "95,76", "551,76"):
        assert f"€ {amount}" in dutch
        assert f"€{amount.replace(',', '.')}" in english
    assert "inbegrepen" in dutch
    assert "21%" in english


def test_an_english_payer_reads_english_throughout() -> None:
    english = replace(CONFIRMATION, language="en")
    assert stands_on(english, "SEPA Direct Debit Mandate")
    assert stands_on(english, "you authorise (A) KING Software B.V. (voorbeeld)")
    assert catalog_of(read(english))["/Lang"] == "en"
    assert not stands_on(english, "machtiging")


def test_without_an_iban_there_is_room_for_one() -> None:
    # Given a payer who gave no account, When they get their document,
    unknown = replace(CONFIRMATION, iban=None, account_holder=None)
    # Then it asks them to fill it in; who gave theirs is not asked.
    request = "Vul naam en IBAN van de rekening in"
    assert stands_on(unknown, request)
    assert not stands_on(CONFIRMATION, request)


def test_it_says_how_to_return_it_and_when_money_is_collected() -> None:
    assert stands_on(CONFIRMATION, "Antwoordnummer 1234, 1230 VB Voorbeeldstad")
    assert stands_on(CONFIRMATION, "fax haar naar +31 20 000 00 00")
    assert stands_on(CONFIRMATION, "niet eerder dan 8 december 2026")
    assert stands_on(CONFIRMATION, "de afgesproken termijn is 14 dagen")


def test_under_a_standing_mandate_nobody_is_asked_to_sign() -> None:
    # Given an office that signed its mandate in January, When it gets a client's document,
    covered = replace(CONFIRMATION, covered=date(2026, 1, 5))
    # Then it says so, and has neither consent nor signature.
    assert stands_on(covered, "ondertekend op 5 januari 2026. U hoeft niets te ondertekenen")
    for asked in ("Handtekening", "Door ondertekening", "Onderteken de machtiging"):
        assert not stands_on(covered, asked)


def test_a_long_name_wraps_and_loses_nothing() -> None:
    # Given the longest name that a sign-up may have, and one without a blank in it,
    words = ("Maatschap voor Fysiotherapie en Oedeemtherapie 's-Hertogenbosch " * 4)[:200]
    for name in (words, "Donaudampfschifffahrtsgesellschaft" * 5):
        customer = CONFIRMATION.customer.model_copy(update={"company": name})
        long = replace(CONFIRMATION, customer=customer, payer_name=name)
        # When the document is made, Then all of it is there, on two pages at most.
        assert stands_on(long, name)
        assert len(read(long).pages) <= 2


@pytest.mark.parametrize("name", ['#panic("x") $ [', "{gross} & {iban}", "</svg> \\ * _ `"])
def test_what_people_type_is_never_taken_for_markup(name: str) -> None:
    # Given a text that company, payer, account holder, street, city and office bear,
    borne = borne_by_all(name)
    address = borne.customer.address.model_copy(update={"street": "Kade", "city": name})
    in_city = replace(borne, customer=borne.customer.model_copy(update={"address": address}))
    # When the document is made, Then it stands there as it was typed, whichever of them has it.
    for confirmation in (borne, in_city):
        assert stands_on(confirmation, name)


DIFFICULT_NAMES = {
    "keycaps": "1\N{VARIATION SELECTOR-16}\N{COMBINING ENCLOSING KEYCAP} Bakker",
    "skin tones": "👍🏽👍🏿 Klussers",
    "joined emoji": "👩\N{ZERO WIDTH JOINER}🍳 en 👨\N{ZERO WIDTH JOINER}👩\N{ZERO WIDTH JOINER}👧",
    "flags": "🇳🇱🇧🇪 Transport",
    "combining marks": "B̷̢̛̞͍̤̈́̑͊a̸̧̗̓̕k̴̡̳̂k̵̹͐e̷͖̿r",
    "a mark without a letter": "\N{COMBINING ACUTE ACCENT} Bakker",
    "thai": "ร้านอาหารไทย น้ำ",
    "tamil": "தமிழ் உணவகம்",
    "chinese and japanese": "金龍酒樓 日本料理",
    "korean": "한국식당",
    "arabic": "مطعم دمشق ﷺ",
    "hebrew": "מסעדת שָׁלוֹם בע״מ",
    "greek": "Ελληνική Ταβέρνα",
    "cyrillic": "Український Дім Ђорђе",
    "variants of letters": "𝕭𝖆𝖐𝖐𝖊𝖗 Ｂａｋｋｅｒ",
    "a script without a font": "ᠮᠣᠩᠭᠣᠯ ꦗꦮ བོད",
    "private, unassigned, half a sign": "\ue000 \U000323b0 \ud800 \uffff",
    "invisible": "\N{WORD JOINER}\N{ZERO WIDTH JOINER}\N{RIGHT-TO-LEFT OVERRIDE}",
    "more than a hundred unknown signs": "".join(map(chr, range(0x1F300, 0x1F300 + 190))),
    "quotes and braces": '{"x": "`日`"} could not be displayed {gross} \\',
}


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


@pytest.mark.parametrize("name", DIFFICULT_NAMES.values(), ids=DIFFICULT_NAMES)
def test_every_name_gets_its_document_at_the_first_try(name: str) -> None:
    # Given a name that company, payer, account holder, street and office bear,
    with capture_logs() as log:
        # When the document is made, Then it is there, and nothing was left to chance.
        pages = read(borne_by_all(name)).pages
    assert 1 <= len(pages) <= 2
    assert log == []


@pytest.mark.parametrize("sign", ["🍞", "\N{WORD JOINER}", "\U0001f468\u200d\U0001f373", "ꦗ"])
def test_a_sign_that_no_font_has_does_not_cost_the_rest_of_the_name(sign: str) -> None:
    # Given a name with a sign in it that cannot be printed,
    customer = CONFIRMATION.customer.model_copy(update={"company": f"Brood {sign} en Zo"})
    # When the document is made, Then all the rest of the name is there.
    document = text_of(replace(CONFIRMATION, customer=customer))
    assert "Brood" in document
    assert "en Zo" in document


@pytest.mark.parametrize("name", ["日本料理", "Ελληνική", "Україна", "ร้านอาหาร"])
def test_a_name_in_another_script_can_be_read_and_copied(name: str) -> None:
    assert stands_on(borne_by_all(name), name)


FINGERPRINT = "9ce0e4cf26d0a277a794af6aec00b000d1a97d68b93225f7b87c36449ae8665c"
"""Of the document above; the payers of ordinary names were told theirs when it was sent."""


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


def test_a_script_that_the_compiler_trips_over_is_set_in_plain_letters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given a compiler that cannot set Tamil although its font is there,
    monkeypatch.setattr(document, "_compile", tripping_over("த"))
    # When the document is made, Then it is, with squares for what cannot be set.
    with capture_logs() as log:
        assert b"\xe2\x96\xa1 Bakker" in render_pdf(borne_by_all("த Bakker"))
    # And whoever runs the product reads so, without the name.
    assert [line["event"] for line in log] == ["document_set_in_plain_letters"]
    assert "த" not in str(log)


def test_a_document_that_cannot_be_made_is_refused_without_the_name_that_it_is_about(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given a compiler that refuses everything, and quotes it,
    monkeypatch.setattr(document, "_compile", tripping_over("Bakker"))
    # When a document is asked for, Then it has failed for good, and no name is in the reason.
    with pytest.raises(Reject, match=f"^{document.NOT_MADE}: ") as refusal:
        render_pdf(borne_by_all("Bakker"))
    assert "Bakker" not in str(refusal.value)


def test_a_panic_within_the_compiler_does_not_end_the_thread_that_sends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given a compiler that panics, which to Python is no Exception,
    class PanicException(BaseException):
        """As Rust's panics are called in Python."""

    class Panicking:
        def compile(self, *_: object, **__: object) -> bytes:
            raise PanicException("index out of bounds: Bakker")

    monkeypatch.setattr(document, "_compiler", Panicking)
    # When a document is asked for, Then it has failed as any other that cannot be made.
    with pytest.raises(Reject, match="typst panicked"):
        render_pdf(borne_by_all("Bakker & Zn."))


def tripping_over(sign: str) -> Callable[[object, str], bytes]:
    """A compiler that quotes what it trips over, as typst does; otherwise it gives its data."""

    def compile_(data: object, _qr: str, **_options: object) -> bytes:
        if sign in str(data):
            raise RuntimeError(f'the text `"{sign}"` could not be displayed with "Noto"')
        return str(data).encode()

    return compile_


def test_names_of_all_of_europe_are_printed_as_they_are() -> None:
    for name in ("Łódź Şükrü Œuvre ĳsvrij", "Αθήνα", "Київ Ђорђе", "Þórður Ð. Ćwik – ’t Huis"):
        customer = CONFIRMATION.customer.model_copy(update={"company": name})
        assert stands_on(replace(CONFIRMATION, customer=customer), name)


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


def test_the_scan_code_names_the_order_and_cannot_be_made_up() -> None:
    assert scan_token(ORDER, KEY).startswith(f"{ORDER}.")
    assert scan_token(ORDER, KEY) != scan_token(ORDER, "l" * 32)
    # It tells nobody who pays, or from which account.
    assert CONFIRMATION.iban is not None
    assert CONFIRMATION.iban not in scan_token(ORDER, KEY)


def test_every_word_is_there_in_both_languages() -> None:
    folder = Path(__file__).parents[3] / "services/billing/templates/confirmation"
    keys = [
        re.findall(r"^(\[?\w+)", (folder / f"{language}.toml").read_text(), re.MULTILINE)
        for language in ("nl", "en")
    ]
    assert keys[0] == keys[1]
