"""What a name looks like on the confirmation when its fonts lack some of its signs."""

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
import typst
from hypothesis import given
from hypothesis import strategies as st

from services.billing.confirmation.glyphs import (
    FONTS,
    REPLACEMENT,
    clusters,
    coverages,
    families,
    showable,
)

WEIGHTS = ("regular", "bold", "semibold")
TEXTS = "#for part in json(bytes(sys.inputs.texts)) [#text(font: part.at(0), part.at(1)) \\ ]"
PAGE = (
    '#set document(title: "Signs")\n#set page(height: auto)\n'
    "#set text(fallback: false, weight: sys.inputs.weight)\n" + TEXTS
)
"""Each text in one family alone: typst refuses what it lacks."""


def shown() -> Iterator[tuple[str, list[str]]]:
    """Each family, and every sign that the table says it has."""
    for font in coverages():
        spans = zip(font.starts, font.ends, strict=True)
        yield font.family, [chr(sign) for first, last in spans for sign in range(first, last + 1)]


def set_in_type(texts: list[tuple[str, str]], weight: str) -> None:
    """Make an archivable document of these, each in its family.

    Raises:
        typst.TypstError: a font lacks a sign.
    """
    compiler = typst.Compiler(font_paths=[str(FONTS)], ignore_system_fonts=True)
    inputs = {"texts": json.dumps(texts), "weight": weight}
    compiler.compile(PAGE.encode(), sys_inputs=inputs, pdf_standards=["a-2a", "ua-1"])


@pytest.mark.parametrize("weight", WEIGHTS)
def test_typst_shows_each_sign_that_the_table_promises(weight: str) -> None:
    # Given all signs of the table, with a place to stand for those that are marks,
    texts = [
        (family, sign)
        for family, signs in shown()
        for sign in signs
        if unicodedata.category(sign) not in {"Mn", "Mc", "Me", "Cf", "Zs"}
    ]
    # When they are set, each in its own font, Then typst finds all of them.
    assert len(texts) > 10_000
    set_in_type(texts, weight)


def test_typst_refuses_what_the_table_does_not_promise() -> None:
    for family, sign in [("Libertinus Serif", "日"), ("Noto Serif Thai", "த")]:
        with pytest.raises(typst.TypstError, match="could not be displayed"):
            set_in_type([(family, sign)], "regular")


def test_the_table_and_the_fonts_beside_it_are_of_one_make() -> None:
    # Given the fonts that typst finds here and within itself, When the table is read,
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[str(FONTS)])
    # Then it names those and no other; those for mathematics alone are no names' concern.
    assert set(fonts.families()) - {"New Computer Modern Math"} == set(families())


def test_the_fonts_are_shipped_with_their_licence_and_weigh_little() -> None:
    files = [path for path in Path(FONTS).iterdir() if path.suffix in {".ttf", ".otf"}]
    assert sum(path.stat().st_size for path in files) < 3_200_000
    assert "SIL OPEN FONT LICENSE" in (FONTS / "OFL.txt").read_text()


@pytest.mark.parametrize(
    "name",
    [
        "Café Łódź – ’t Huis",
        "Ελληνική Ταβέρνα",
        "Український Дім",
        "日本料理 寿司",
        "한국식당",
        "ร้านอาหารไทย น้ำ",
        "தமிழ் உணவகம்",
        "भारतीय क्षत्रिय",
        "ශ්\N{ZERO WIDTH JOINER}රී ලංකා",
        "می\N{ZERO WIDTH NON-JOINER}خواهم",
        "מסעדת שָׁלוֹם",
        "የኢትዮጵያ ምግብ",
        "ⴰⵎⴰⵣⵉⵖ",
    ],
)
def test_a_name_in_a_script_of_the_fonts_stands_as_it_is(name: str) -> None:
    assert showable(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Brood 🥐 en Zo", "Brood □ en Zo"),
        ("👩\N{ZERO WIDTH JOINER}🍳 Anna", "□ Anna"),
        ("👍🏽👍🏿", "□□"),
        ("🇳🇱🇧🇪", "□□"),
        ("1\N{VARIATION SELECTOR-16}\N{COMBINING ENCLOSING KEYCAP} Bakker", "1\u20e3 Bakker"),
        ("𝕭𝖆𝖐𝖐𝖊𝖗", "Bakker"),
        ("xꦗ", "x□"),
        ("a\N{KHMER VOWEL SIGN AA}", "a"),
        ("Ba\N{ZERO WIDTH JOINER}kker\N{WORD JOINER}", "Bakker"),
        ("Bakker\ten\nZo", "Bakker en Zo"),
        ("\N{COMBINING ACUTE ACCENT}Bakker", "\N{DOTTED CIRCLE}\N{COMBINING ACUTE ACCENT}Bakker"),
        ("\ue000 \ud800", "□ □"),
        ("Jose\N{COMBINING ACUTE ACCENT}", "José"),
    ],
)
def test_what_no_font_has_is_replaced_sign_by_sign_as_a_reader_sees_signs(
    name: str, expected: str
) -> None:
    assert showable(name) == expected


def test_a_hundred_marks_on_one_letter_bury_nothing() -> None:
    (buried,) = clusters("a" + "\N{COMBINING GRAVE ACCENT BELOW}" * 100)
    assert len(showable(buried)) <= 8


@given(st.text(max_size=60))
def test_any_text_becomes_one_that_a_single_font_has_each_sign_of(text: str) -> None:
    # Given any text at all, When it is put into what can be shown,
    for cluster in clusters(showable(text).replace("\N{ZERO WIDTH SPACE}", "")):
        # Then every sign of it is whole in one of the fonts.
        assert any(font.shows(cluster) for font in coverages()), cluster
    # And it says the same when it is done twice.
    assert showable(showable(text)) == showable(text)


@pytest.mark.parametrize("sign", ["𠜎", "W", "é"])
def test_a_long_run_without_a_blank_may_end_a_line(sign: str) -> None:
    # Given two hundred signs on end, which no line of the document is long enough for,
    text = showable(sign * 200)
    # When they are put into what can be shown, Then none is lost, and there is room for breaks.
    parts = text.split("\N{ZERO WIDTH SPACE}")
    assert "".join(parts) == (REPLACEMENT if sign == "𠜎" else sign) * 200
    assert max(map(len, parts)) <= 12
    # What is no longer than an address may be stays as it is.
    assert showable("W" * 60) == "W" * 60
