"""A customer signs up, a webmaster tries, KING keeps its offices: in a browser, as people do."""

import re

import pytest
from playwright.sync_api import Page, expect

from shared.links import Purpose
from tests.browser.accessible import assert_accessible
from tests.browser.screens import assert_looks_like
from tests.browser.usable import assert_usable
from tests.browser.visitors import Visitors
from tests.e2e.api import Api
from tests.e2e.clock import MONDAY_MORNING
from tests.e2e.stage import Stage
from tests.integration.pages.signup.conftest import filled_in
from tests.visitors import sign_in

FORM = "/signup/0042"
REFUSED = (422,)
LANGUAGES = ("nl", "en")
OPEN_TO_ALL = {
    "signup": FORM,
    "signup-terms": f"{FORM}/terms",
    "try": "/try/0042",
    "try-docs": "/try/0042/docs",
    "try-king": "/try/king-billing",
    "try-king-docs": "/try/king-billing/docs",
}
OF_KING = {"offices": "/offices", "office-new": "/offices?new=yes", "office": "/offices/0042"}


def fill_in(page: Page, company: str) -> None:
    """Type and choose what a customer does."""
    for name, value in filled_in(company).items():
        field = page.locator(f'[name="{name}"]')
        if name in ("package.code", "package.modules", "payer.kind", "preferred_channel"):
            chosen = value if isinstance(value, str) else value[0]
            page.locator(f'[name="{name}"][value="{chosen}"]').check()
        elif name == "terms_accepted":
            field.check()
        elif name in ("customer.address.country", "customer.language"):
            field.select_option(value)
        else:
            field.fill(value)


def in_language(path: str, language: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}lang={language}"


def sign_in_as_king(page: Page, stage: Stage) -> None:
    cookies = sign_in(stage.settings, "king", None, at=MONDAY_MORNING)
    address = stage.addresses["activation"]
    page.context.add_cookies(
        [
            {"name": f"stappenplan-{name}", "value": value, "url": address}
            for name, value in cookies.items()
        ]
    )


def test_prices_add_up_and_the_bank_appears_while_one_types(person: Visitors) -> None:
    # Given somebody at the form, who has typed their name
    page = person()
    page.goto(FORM)
    page.fill('[name="customer.company"]', "Bakkerij De Korenaar")
    # When they choose a package and a module, Then the price follows
    page.check('[name="package.code"][value="basis"]')
    expect(page.locator("#price")).to_contain_text("217,80")
    page.check('[name="package.modules"][value="scan"]')
    expect(page.locator("#price")).to_contain_text("304,92")
    # When they type an account, Then its bank is named
    page.fill('[name="payer.iban"]', "NL91 ABNA 0417 1643 00")
    page.press('[name="payer.iban"]', "Tab")
    expect(page.locator("#bank")).to_contain_text("ABN AMRO")
    # When their address has a slip, Then one press mends it, and all else is still there.
    page.fill('[name="customer.email"]', "info@gmial.com")
    page.press('[name="customer.email"]', "Tab")
    page.get_by_role("button", name="Ja, gebruik dit adres").click()
    expect(page.locator('[name="customer.email"]')).to_have_value("info@gmail.com")
    expect(page.locator('[name="customer.company"]')).to_have_value("Bakkerij De Korenaar")
    expect(page.locator("#price")).to_contain_text("304,92")


@pytest.mark.parametrize("javascript", [True, False])
def test_a_customer_signs_up_with_and_without_scripts(person: Visitors, javascript: bool) -> None:
    # Given somebody who forgets a field
    page = person(javascript=javascript, expects=REFUSED)
    page.goto(FORM)
    fill_in(page, f"Winkel {'met' if javascript else 'zonder'} scripts")
    page.fill('[name="customer.address.city"]', "")
    page.get_by_role("button", name="Verder: nakijken").click()
    # When they follow what the page says
    page.get_by_role("link", name="Plaats: Vul dit veld in.").click()
    assert_accessible(page)
    page.fill('[name="customer.address.city"]', "Voorbeeldstad")
    page.get_by_role("button", name="Verder: nakijken").click()
    # Then they check their answers, send them, and are thanked.
    expect(page.get_by_role("heading", level=1)).to_have_text("Klopt alles?")
    assert_accessible(page)
    assert_usable(page)
    page.get_by_role("button", name="Inschrijving versturen").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("uw inschrijving is ontvangen")
    assert_accessible(page)
    assert_usable(page)
    # And one press further is their own page.
    page.get_by_role("link", name="Naar mijn pagina").click()
    expect(page).to_have_url(re.compile("/status/"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_enter_in_a_field_goes_on_and_never_takes_up_a_hint(person: Visitors) -> None:
    page = person(expects=REFUSED)
    page.goto(FORM)
    fill_in(page, "Winkel met Enter")
    page.fill('[name="customer.email"]', "info@gmial.com")
    page.press('[name="customer.email"]', "Tab")
    expect(page.get_by_role("button", name="Ja, gebruik dit adres")).to_be_visible()
    page.press('[name="customer.company"]', "Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Klopt alles?")
    expect(page.get_by_text("info@gmial.com")).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False])
def test_answers_go_along_into_the_other_language(
    person: Visitors, api: Api, javascript: bool
) -> None:
    # Given a customer in the middle of the form, who has sent nothing yet
    page = person(javascript=javascript)
    page.goto(FORM)
    page.get_by_label("Bedrijfsnaam").fill("Two Languages")
    # When they choose the other language, Then they go on there with what they typed,
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign up for iMUIS Online")
    expect(page.get_by_label("Company name")).to_have_value("Two Languages")
    # none of which stands in the address, and nobody has signed up by that.
    assert page.url.endswith(f"{FORM}?lang=en")
    assert api.ask("GET", "/api/onboardings", params={"q": "Two Languages"}).json() == []
    # And likewise with what is to be checked.
    fill_in(page, "Two Languages")
    page.get_by_role("button", name="Continue: check").click()
    page.get_by_role("button", name="Nederlands").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Klopt alles?")
    expect(page.get_by_text("Two Languages").first).to_be_visible()
    assert_accessible(page)


def test_what_was_typed_anywhere_is_there_in_the_other_language(person: Visitors, api: Api) -> None:
    # Given a customer who has begun to write why they stop
    page = person()
    page.goto(in_language(page_to_withdraw(api), "nl"))
    page.get_by_label("Waarom trekt u zich terug?").fill("Toch niet")
    # When they choose the other language, Then it stands there too, and nothing was sent.
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator('[name="reason"]')).to_have_value("Toch niet")
    # And it goes no further than that: who comes back later begins anew.
    page.reload()
    expect(page.locator('[name="reason"]')).to_have_value("")


def test_a_customer_withdraws_by_keyboard_alone(person: Visitors, api: Api) -> None:
    # Given a customer with a link from a mail
    page = person()
    path = page_to_withdraw(api)
    page.goto(in_language(path, "nl"))
    assert_accessible(page)
    assert_usable(page)
    # When they write why and press Enter
    page.get_by_label("Waarom trekt u zich terug?").fill("Toch niet")
    page.keyboard.press("Enter")
    # Then they read that it has stopped.
    expect(page.get_by_role("heading", level=1)).to_have_text("Uw inschrijving is ingetrokken")
    assert_accessible(page)


def page_to_withdraw(api: Api) -> str:
    links = api.stage.settings.page_links()
    return links.path(Purpose.WITHDRAW, api.sign_up(), MONDAY_MORNING)


def test_a_webmaster_reads_what_is_wrong_without_scripts(person: Visitors) -> None:
    page = person(javascript=False, expects=REFUSED)
    page.goto("/try/0042")
    document = page.get_by_label("Bericht (JSON)")
    document.fill(document.input_value().replace("01234567", "123"))
    page.get_by_role("button", name="Beoordelen").click()
    expect(page.locator("#verdict")).to_contain_text("customer.kvk")
    assert_accessible(page)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", OPEN_TO_ALL.values(), ids=OPEN_TO_ALL)
def test_everybody_can_use_the_pages(person: Visitors, path: str, language: str) -> None:
    page = person(language=language)
    page.goto(in_language(path, language))
    assert_accessible(page)
    if language == "nl":
        assert_usable(page)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", OF_KING.values(), ids=OF_KING)
def test_king_can_use_the_pages_of_offices(
    person: Visitors, stage: Stage, path: str, language: str
) -> None:
    page = person(language=language)
    sign_in_as_king(page, stage)
    page.goto(in_language(path, language))
    expect(page.get_by_text("M. Voorbeeld").first).to_be_visible()
    assert_accessible(page)
    if language == "nl":
        assert_usable(page)


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("name", OPEN_TO_ALL)
def test_the_pages_look_as_they_did(person: Visitors, name: str, width: int) -> None:
    page = person(width=width)
    page.goto(OPEN_TO_ALL[name])
    # The address of the stage is another one each time.
    address = re.compile("127.0.0.1")
    lines, links = page.locator("pre", has_text=address), page.locator("p a", has_text=address)
    assert_looks_like(page, f"{name}-{width}", hide=[lines, links])


@pytest.mark.parametrize("width", [1280, 360])
def test_the_answers_look_as_they_did(person: Visitors, width: int) -> None:
    page = person(width=width)
    page.goto(FORM)
    fill_in(page, "Bakkerij De Korenaar")
    page.get_by_role("button", name="Verder: nakijken").click()
    assert_looks_like(page, f"signup-check-{width}")
