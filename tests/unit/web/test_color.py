"""An office's colour: whatever it chose, its customers can read what stands in it and on it."""

import re
from collections.abc import Iterator
from itertools import product

import pytest
from fastapi.testclient import TestClient

from shared.links import PageLinks
from shared.web.app import create_app
from shared.web.pages import Site
from shared.web.pages.color import BLACK, WHITE, contrast, read_color, stylesheet_of
from shared.web.pages.static import FOLDER

KEY = "k" * 40
ADDRESS = "https://stappenplan.example"
PARTS = ("00", "33", "80", "cc", "ff")
COLORS = ["".join(parts) for parts in product(PARTS, repeat=3)]
WORDS = {
    "ink": ("ground", "paper", "accent-soft", "good-soft", "waiting-soft", "bad-soft"),
    "ink-2": ("ground", "paper", "accent-soft", "quiet-soft"),
    "accent": ("ground", "paper", "accent-soft"),
    "accent-strong": ("ground", "paper", "accent-soft"),
    "on-accent": ("accent", "accent-strong"),
    "good": ("paper", "good-soft"),
    "waiting": ("paper", "waiting-soft"),
    "bad": ("paper", "bad-soft"),
    "on-bad": ("bad",),
}
"""What is written in a colour, and on which it may stand."""


@pytest.fixture
def browser() -> Iterator[TestClient]:
    site = Site(PageLinks(ADDRESS, [KEY]), is_public=True)
    with TestClient(create_app([], token_key=KEY, site=site), base_url=ADDRESS) as client:
        yield client


def tokens(css: str) -> tuple[dict[str, str], dict[str, str]]:
    """The colours of a stylesheet by day, and in the dark."""
    light, dark = css.split("prefers-color-scheme: dark", 1)
    found = re.compile(r"--([a-z0-9-]+): (#[0-9a-f]{3,6});")
    by_day = dict(found.findall(light))
    return by_day, by_day | dict(found.findall(dark.split("@layer base", 1)[0]))


def ratio(colors: dict[str, str], one: str, other: str) -> float:
    first, second = (read_color(_six(colors[name])) for name in (one, other))
    assert first is not None
    assert second is not None
    return contrast(first, second)


def _six(color: str) -> str:
    return color if len(color) == 7 else "#" + "".join(2 * digit for digit in color[1:])


@pytest.mark.parametrize("hue", PARTS)
def test_whatever_an_office_chose_its_customers_can_read(hue: str) -> None:
    # Given the stylesheet, and the colours of offices from the palest to the darkest
    own = tokens((FOLDER / "stappenplan.css").read_text())
    for color in (color for color in COLORS if color.startswith(hue)):
        chosen = read_color(color)
        assert chosen is not None
        # When a page is shown in one of them, by day or in the dark
        for colors, changes in zip(own, tokens(stylesheet_of(chosen)), strict=True):
            shown = colors | changes
            # Then every word has the contrast of WCAG 2.2 AA with all that it may stand on,
            for word, grounds in WORDS.items():
                assert min(ratio(shown, word, ground) for ground in grounds) >= 4.5, (color, word)
            # and the office's letter with the office's own colour, which is shown unchanged.
            assert shown["brand"] == f"#{color}"
            assert ratio(shown, "on-brand", "brand") >= 4.5


def test_lines_that_say_where_to_type_are_seen() -> None:
    for colors in tokens((FOLDER / "stappenplan.css").read_text()):
        assert min(ratio(colors, "line-strong", g) for g in ("paper", "ground")) >= 3


def test_the_product_has_the_colour_that_its_own_would_be_given() -> None:
    # Given an office that chose the colour of the product itself
    own, _ = tokens((FOLDER / "stappenplan.css").read_text())
    color = read_color(own["brand"])
    assert color is not None
    # When its customers open a page by day, Then it looks as all pages do.
    given, _ = tokens(stylesheet_of(color))
    assert {name: _six(own[name]) for name in given} == given


def test_contrast_is_that_of_the_standard() -> None:
    grey = read_color("#767676")
    assert grey is not None
    assert contrast(BLACK, WHITE) == 21
    assert contrast(grey, WHITE) == pytest.approx(4.54, abs=0.01)


def test_a_colour_is_a_stylesheet_that_browsers_keep(browser: TestClient) -> None:
    answer = browser.get("/static/color/7a1f5c.css")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/css")
    assert answer.headers["cache-control"].startswith("public")
    assert "--brand: #7a1f5c;" in answer.text


@pytest.mark.parametrize(
    "name", ["7a1f5", "7a1f5c0", "red", "7A1F5C", "%237a1f5c", "000;}", "7a1f5c%0a", ""]
)
def test_what_is_no_colour_is_no_stylesheet(browser: TestClient, name: str) -> None:
    assert browser.get(f"/static/color/{name}.css").status_code == 404
