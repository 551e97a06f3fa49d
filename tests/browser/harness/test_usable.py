"""A page that somebody cannot use is found, and the failure names what stands in the way."""

import pytest

from tests.browser.harness.little_pages import LittlePages
from tests.browser.usable import assert_usable
from tests.browser.visitors import Visitors

FORM = """
<p>Lees de <a href="/terms">voorwaarden</a> eerst.</p>
<form><label>Naam <input name="name"></label>
<fieldset><legend>Betaler</legend>
<label><input type="radio" name="payer" value="customer"> Klant</label>
<label><input type="radio" name="payer" value="office" checked> Kantoor</label></fieldset>
<details><summary>Meer</summary><button>Verborgen</button></details>
<button disabled>Nog niet</button><button>Versturen</button></form>
"""
ROOMY = "label, summary { display: block; min-height: 2rem }"


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no scripts"])
def test_a_plain_form_can_be_used_by_everybody(
    pages: LittlePages, person: Visitors, javascript: bool
) -> None:
    # Given links, fields, a group of radio buttons, something folded and something disabled,
    page = person(javascript=javascript)
    page.goto(pages.page(FORM, css=ROOMY))
    # When somebody has pressed the last button before, Then the walk begins at the top all the same
    page.locator("button").last.focus()
    assert_usable(page)
    # And the page is as large as it was.
    assert page.viewport_size == {"width": 1280, "height": 800}


def failure(pages: LittlePages, suspect: Visitors, body: str, css: str) -> str:
    page = suspect()
    page.goto(pages.page(body, css=css))
    with pytest.raises(AssertionError) as caught:
        assert_usable(page)
    return str(caught.value)


def test_focus_that_is_not_seen_is_named(pages: LittlePages, suspect: Visitors) -> None:
    # Given a stylesheet that takes the outline away from one button of two,
    css = "#b { outline: none } button { margin: 1rem }"
    body = '<button id="a">Ja</button><button id="b">Nee</button>'
    # When somebody walks through, Then that one is named, and the other is not.
    said = failure(pages, suspect, body, css)
    assert 'nobody sees that <button#b> "Nee" has the focus' in said
    assert "button#a" not in said


def test_an_outline_in_no_colour_is_not_seen(pages: LittlePages, suspect: Visitors) -> None:
    said = failure(pages, suspect, "<button>Ja</button>", "button { outline: 3px solid #0000 }")
    assert "nobody sees" in said


@pytest.mark.parametrize(
    "css",
    [
        "button:focus-visible { outline: 2px solid #000 }",
        "button { outline: none } button:focus-visible { box-shadow: 0 0 0 3px #05a }",
        "button { outline: 0 } main:has(:focus-visible) { outline: 2px solid #05a }",
    ],
    ids=["an outline in black", "a shadow", "around it"],
)
def test_focus_may_be_shown_in_more_than_one_way(
    pages: LittlePages, person: Visitors, css: str
) -> None:
    page = person()
    page.goto(pages.page("<button>Ja</button>", css=css))
    assert_usable(page)


def test_what_only_the_mouse_reaches_is_named(pages: LittlePages, suspect: Visitors) -> None:
    # Given a script that keeps the focus from going further than the first button,
    pages.serve(
        "/trap.js",
        "addEventListener('keydown', event => event.key === 'Tab'"
        " && document.activeElement.id === 'a' && event.preventDefault())",
    )
    body = '<button id="a">Ja</button> <button id="b">Nee</button><script src="/trap.js"></script>'
    # When somebody walks through, Then the second is named.
    assert "Tab does not reach <button#b>" in failure(pages, suspect, body, "")


def test_focus_behind_a_bar_that_stays_is_named(pages: LittlePages, suspect: Visitors) -> None:
    # Given a bar that covers the top of the page, and a button below it that does not move,
    css = "header { position: fixed; inset: 0 0 auto 0; height: 9rem; background: #ccc }"
    # When somebody walks through, Then the button is said to be covered.
    said = failure(pages, suspect, "<button>Ja</button><header>Balk</header>", css)
    assert '<button> "Ja" is covered' in said


def test_sideways_scrolling_on_a_phone_is_named(pages: LittlePages, suspect: Visitors) -> None:
    # Given a table that needs 500 pixels,
    said = failure(pages, suspect, '<div id="wide">Tabel</div>', "#wide { width: 500px }")
    # Then it does not fit a phone, though it fits at 200 %.
    assert "at 360 pixels: the page scrolls sideways: <div#wide>" in said
    assert "at 200 %" not in said


def test_sideways_scrolling_at_200_percent_is_named(pages: LittlePages, suspect: Visitors) -> None:
    css = "@media (min-width: 600px) { #wide { width: 900px } }"
    said = failure(pages, suspect, '<div id="wide">Tabel</div>', css)
    assert "at 200 %: the page scrolls sideways: <div#wide>" in said


def test_small_targets_close_together_are_named(pages: LittlePages, suspect: Visitors) -> None:
    # Given two small buttons side by side, and one by itself,
    body = '<button id="a">-</button><button id="b">+</button><p><button id="c">?</button></p>'
    css = "button { width: 12px; height: 12px; min-height: 0; padding: 0 } p { margin: 4rem }"
    # When thumbs try, Then the two are named, and the one with room around it is not.
    said = failure(pages, suspect, body, css)
    assert '<button#a> "-" is 12 × 12' in said
    assert '<button#b> "+" is 12 × 12' in said
    assert "button#c" not in said
