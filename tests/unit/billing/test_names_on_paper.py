"""Whatever people are called, their confirmation is made, with all of it that can be printed."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from services.billing.confirmation import document
from services.billing.confirmation.document import render_pdf
from shared.base.errors import Reject
from tests.unit.billing.paper import CONFIRMATION, borne_by_all, read, stands_on, text_of


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
