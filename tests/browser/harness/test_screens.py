"""A page that looks different from the day somebody looked at it is found."""

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.browser import screens
from tests.browser.harness.little_pages import LittlePages
from tests.browser.screens import assert_image_is, assert_looks_like, settled_screenshot
from tests.browser.visitors import Visitors

SIZE = (100, 100)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one screenshot, white; failures go elsewhere than to the project's folder."""
    monkeypatch.delenv(screens.WRITE, raising=False)
    monkeypatch.setattr(screens, "FAILED", tmp_path / "failed")
    Image.new("RGB", SIZE, "white").save(tmp_path / "page.png")
    return tmp_path


def with_pixels(count: int, colour: str = "black") -> Image.Image:
    image = Image.new("RGB", SIZE, "white")
    image.paste(colour, (0, 0, count, 1))
    return image


def test_a_tenth_of_a_percent_may_differ_and_no_more(kept: Path) -> None:
    # Given a screenshot of 10,000 pixels, When ten of them differ, Then it is the same page.
    assert_image_is(with_pixels(10), "page", kept)
    # When eleven do, Then it is not, and the two are kept side by side with what differs.
    with pytest.raises(AssertionError, match=r"0\.11% of its pixels differ") as failure:
        assert_image_is(with_pixels(11), "page", kept)
    folder = kept / "failed" / "page"
    assert str(folder) in str(failure.value)
    assert {path.name for path in folder.iterdir()} == {
        "actual.png",
        "difference.png",
        "expected.png",
    }
    assert Image.open(folder / "difference.png").histogram()[255] == 11


def test_a_shade_that_nobody_sees_is_no_difference(kept: Path) -> None:
    assert_image_is(Image.new("RGB", SIZE, "#fafafa"), "page", kept)


def test_one_colour_that_is_off_is_a_difference(kept: Path) -> None:
    # Given yellow, which differs from white in its blue alone, and hardly in grey.
    with pytest.raises(AssertionError, match="differ"):
        assert_image_is(with_pixels(90, "#ffffc0"), "page", kept)


def test_a_page_that_grew_is_a_difference(kept: Path) -> None:
    with pytest.raises(AssertionError, match="100 × 101 pixels, and was 100 × 100"):
        assert_image_is(Image.new("RGB", (100, 101), "white"), "page", kept)


def test_a_page_without_a_screenshot_says_how_to_make_one(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a page of which there is none, When it is compared, Then the failure says what to do;
    with pytest.raises(AssertionError, match="STAPPENPLAN_WRITE_SCREENS=1"):
        assert_image_is(with_pixels(0), "new", kept)
    # And when that is done, Then it is there.
    monkeypatch.setenv("STAPPENPLAN_WRITE_SCREENS", "1")
    assert_image_is(with_pixels(40), "new", kept)
    monkeypatch.delenv("STAPPENPLAN_WRITE_SCREENS")
    assert_image_is(with_pixels(40), "new", kept)


def specimen(pages: LittlePages, person: Visitors) -> Page:
    """Text in each family, some signs, a field with a caret, and something that spins."""
    page = person(width=480)
    body = (
        "<p>Zoë Müller-Ĳsbrand betaalt € 12,50 → <strong>vet</strong>, <em>schuin</em> ✓ ✗ ●</p>"
        '<p class="system">system-ui 0123</p><p class="serif">serif 0123</p>'
        '<p class="arial">Arial 0123</p><code>NL91 ABNA 0417</code>'
        '<p>Kenmerk <span id="reference"></span></p>'
        '<label>Naam <input name="name" autofocus value="Ada"></label><p class="spin">/</p>'
    )
    css = """
    .system { font-family: system-ui } .serif { font-family: Georgia, serif }
    .arial { font-family: Arial } code { font-family: monospace }
    .spin { width: 1em; animation: spin 1s infinite linear }
    @keyframes spin { to { transform: rotate(1turn) } }
    """
    pages.serve("/reference.js", "document.querySelector('#reference').textContent = Date.now()")
    page.goto(pages.page(body + '<script src="/reference.js"></script>', css=css))
    return page


def test_fonts_and_signs_are_painted_alike_on_every_machine(
    pages: LittlePages, person: Visitors
) -> None:
    # Given a page with a reference that is never the same, a caret that blinks, and a spinner,
    page = specimen(pages, person)
    # When it is compared without the reference, Then it looks as it did elsewhere.
    assert_looks_like(page, "harness-specimen", hide=[page.locator("#reference")])


def test_a_heading_that_changed_is_seen(pages: LittlePages, person: Visitors, kept: Path) -> None:
    # Given a page as it was found good,
    page = specimen(pages, person)
    hide = [page.locator("#reference")]
    settled_screenshot(page, hide).save(kept / "specimen.png")
    assert_image_is(settled_screenshot(page, hide), "specimen", kept)
    # When its heading changes, Then that is seen.
    page.locator("h1").evaluate("element => { element.textContent = 'Voorspel' }")
    with pytest.raises(AssertionError, match="looks different"):
        assert_image_is(settled_screenshot(page, hide), "specimen", kept)


def test_a_page_that_never_stands_still_says_so(
    pages: LittlePages, person: Visitors, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a page with a counter that a script moves,
    monkeypatch.setattr(screens, "SECONDS_TO_SETTLE", 0.5)
    pages.serve("/count.js", "setInterval(() => document.querySelector('p').textContent++, 5)")
    page = person(width=360)
    page.goto(pages.page('<p>0</p><script src="/count.js"></script>'))
    # When it is to be compared, Then the failure says what is the matter.
    with pytest.raises(AssertionError, match="stands still: hide what moves"):
        settled_screenshot(page)
