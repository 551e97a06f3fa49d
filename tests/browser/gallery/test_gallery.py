"""Every part of a page, in each of its states: for all eyes, on every screen, without a mouse."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessible import assert_accessible
from tests.browser.gallery.app import NAMES
from tests.browser.usable import assert_usable
from tests.browser.visitors import Visitors

PAGES = [*NAMES, "form?wrong"]
LEAVING = "!dispatchEvent(new Event('beforeunload', {cancelable: true}))"


def english(name: str) -> str:
    return f"/gallery/{name}{'&' if '?' in name else '?'}lang=en"


@pytest.mark.parametrize("name", PAGES)
def test_a_part_is_there_for_everybody(person: Visitors, name: str) -> None:
    # Given somebody who opens a page, Then nothing of it is lost on anybody,
    page = person()
    page.goto(f"/gallery/{name}")
    assert_accessible(page)
    # and it is used on a phone, magnified, and by keyboard alone.
    assert_usable(page)


@pytest.mark.parametrize("name", ["parts", "form?wrong", "status", "worklist"])
def test_a_part_reads_well_in_the_dark_and_in_english(person: Visitors, name: str) -> None:
    page = person(language="en", dark=True)
    page.goto(english(name))
    assert_accessible(page)


@pytest.mark.parametrize("color", ["ffe600", "00ff66", "0a0a0a", "ffffff"])
def test_an_office_may_choose_any_colour(person: Visitors, color: str) -> None:
    for dark in (False, True):
        page = person(dark=dark)
        page.goto(f"/gallery/status?color={color}")
        assert_accessible(page)


def test_whoever_made_mistakes_begins_at_what_is_wrong(person: Visitors) -> None:
    # Given a form that came back with faults, When it opens
    page = person()
    page.goto("/gallery/form?wrong")
    # Then the list of them has the focus, and each line leads to its field.
    expect(page.locator("#errors")).to_be_focused()
    page.get_by_role("link", name="Vul de postcode in").click()
    assert page.url.endswith("#field-postcode")


def test_the_desk_is_worked_without_the_mouse(person: Visitors) -> None:
    # Given a clerk who has found the order of the paper before them
    page = person()
    page.goto("/gallery/desk")
    expect(page.locator("[data-scan]")).to_be_focused()
    # When they have filled in who signed, Then Escape leads back to the scanner,
    page.get_by_label("Getekend door").fill("J. Bakker")
    page.keyboard.press("Escape")
    expect(page.locator("[data-scan]")).to_be_focused()
    # and Ctrl+Enter sends nothing that is incomplete: the missing date has the focus.
    page.keyboard.press("Control+Enter")
    expect(page.get_by_label("Getekend op")).to_be_focused()
    page.get_by_label("Getekend op").fill("2026-11-24")
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.keyboard.press("Control+Enter")
    assert "signed_by=J.+Bakker" in (sent.value.post_data or "")
    page.wait_for_url("**/gallery/desk?done=yes")


def test_a_half_filled_form_is_not_left_by_accident(person: Visitors) -> None:
    # Given somebody who has begun to fill in a form
    page = person()
    page.goto("/gallery/form")
    assert not page.evaluate(LEAVING)
    page.get_by_label("Bedrijfsnaam").press_sequentially("!")
    # When they are about to leave, Then the browser is told to ask whether they mean it.
    assert page.evaluate(LEAVING)


def test_a_reference_copies_itself_and_says_so(person: Visitors) -> None:
    # Given a page with a reference to copy, in a browser that lends its clipboard
    page = person()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/gallery/parts")
    # When its button is pressed, Then it is in the clipboard and the button says so.
    button = page.locator("[data-copy=mandate]")
    button.click()
    expect(button).to_have_text("Gekopieerd")
    assert page.evaluate("navigator.clipboard.readText()") == "M-2026-000123-7"


def test_without_scripts_nothing_is_offered_that_needs_them(person: Visitors) -> None:
    page = person(javascript=False)
    page.goto("/gallery/parts")
    expect(page.locator("[data-copy=mandate]")).to_be_hidden()
    assert_accessible(page)


def test_on_paper_a_page_is_a_document(person: Visitors) -> None:
    # Given a customer's page, When it is printed, Then words are there and ways on are not.
    page: Page = person()
    page.goto("/gallery/status")
    page.emulate_media(media="print")
    expect(page.get_by_text("INSCHRIJVEN", exact=True)).to_be_visible()
    expect(page.get_by_text("Nu ondertekenen")).to_be_hidden()
    expect(page.get_by_text("English")).to_be_hidden()
