"""The office before its work list: it finds what is due, does it, and sees what comes of it."""

import re
from collections.abc import Callable, Collection
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from shared.host.standing import standing
from tests.browser.accessible import assert_accessible
from tests.browser.open_pages import TwoSeconds
from tests.browser.screens import assert_looks_like
from tests.browser.usable import assert_usable
from tests.browser.visitors import Visitors
from tests.e2e.api import Api
from tests.e2e.clock import MONDAY_MORNING
from tests.e2e.stage import Stage
from tests.servers.premises import wait_until
from tests.visitors import sign_in

OFFICE, QUIET = "0042", "0199"
"""An office like any other, and one whose customers are those of the screenshots alone."""
ACTIVATOR = "activator"
ANNA = {
    "contact": {"first_name": "Anna", "last_name": "Voorbeeld"},
    "email": "anna@korenbloem.example",
    "mobile": "+31612345678",
    "language": "nl",
    "address": {
        "street": "Voorbeeldstraat",
        "number": "1",
        "postcode": "1234 AB",
        "city": "Voorbeeldstad",
        "country": "NL",
    },
}
"""Who stands on the screenshots."""
PARTS = ("tbody .hint", "td", "dd", ".timeline__details", ".mailprogram__body p")
NUMBERED = re.compile(r"\b[SOKA]-\d|http:")
"""References, and the address of the stage: other ones with every run."""
AWAY = (404,)
"""A part of another service that is not there: its place stays a link."""

Colleague = Callable[..., Page]


@pytest.fixture
def colleague(person: Visitors, stage: Stage, origin: str) -> Colleague:
    """Makes the page of somebody of an office who is signed in."""

    def make(
        role: str = ACTIVATOR,
        office: str | None = OFFICE,
        name: str = "M. Voorbeeld",
        expects: Collection[int] = AWAY,
        **settings: Any,
    ) -> Page:
        page = person(expects=expects, **settings)
        kept = sign_in(stage.settings, role, office, name, at=stage.clock())
        page.context.add_cookies(
            [
                {"name": f"stappenplan-{cookie}", "value": value, "url": origin}
                for cookie, value in kept.items()
            ]
        )
        return page

    return make


def released(api: Api, company: str, office: str = OFFICE) -> str:
    """A customer by this name who waits for their login details."""
    form = api.form(office)
    form["customer"] |= {"company": company, "mobile": "+31612345678"}
    return api.release(office=office, customer=form["customer"])


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_page_of_the_office_is_for_everybody(
    api: Api, colleague: Colleague, language: str
) -> None:
    # Given customers at several steps, and one who is being followed
    waiting, done = released(api, "Kapsalon Anders"), released(api, "Garage De Bocht")
    unsigned = api.sign_up()
    order = api.order_of(unsigned)
    page = colleague(language=language)
    page.goto(f"/onboardings/{done}/activate")
    page.locator("form[action$=activate] button").click()
    # When somebody opens each page, Then axe finds nothing, and everything is reached by keys,
    # on a telephone and at 200 %.
    for path in (
        "/",
        "/?group=activate",
        "/?q=niemand",
        f"/onboardings/{waiting}",
        f"/onboardings/{order}",
        f"/onboardings/{done}",
        f"/onboardings/{waiting}/activate",
        f"/onboardings/{unsigned}/activate",
        f"/onboardings/{waiting}/contact",
        f"/activations?id={waiting}&id={unsigned}",
    ):
        page.goto(path)
        assert_accessible(page)
        if language == "nl":
            assert_usable(page)


def test_what_is_wrong_with_a_contact_is_said_beside_it(api: Api, colleague: Colleague) -> None:
    customer = released(api, "Fietsen Van Dam")
    page = colleague("office", expects=(422, 404))
    page.goto(f"/onboardings/{customer}/contact")
    page.get_by_label("E-mailadres").fill("klant@")
    page.get_by_role("button", name="Wijzig", exact=True).click()
    expect(page.locator("#error-email")).to_have_text("Dit e-mailadres klopt niet; controleer het.")
    assert_accessible(page)


def test_a_new_sign_up_appears_by_itself_and_a_selection_is_kept(
    api: Api, colleague: Colleague
) -> None:
    # Given an open work list, with a customer selected in it
    released(api, "Bloemen Roos")
    page = colleague()
    page.goto("/")
    box = page.get_by_label("Kies Bloemen Roos")
    box.check()
    # When somebody signs up
    form = api.form()
    form["customer"]["company"] = "Slagerij Vers Van Het Mes"
    api.waits_for(api.sign_up(customer=form["customer"]), "signature_missing")
    # Then they are there within two seconds, and the selection is as it was.
    TwoSeconds().show(page.get_by_role("link", name="Slagerij Vers Van Het Mes"))
    expect(box).to_be_checked()


def test_a_colleagues_sending_is_seen_while_the_page_is_open(
    api: Api, colleague: Colleague
) -> None:
    # Given two colleagues with the same customer before them
    customer = released(api, "Drukkerij Het Blad")
    anna, bram = colleague(name="A. Jansen"), colleague(name="B. Peters", expects=(404, 409))
    for page in (anna, bram):
        page.goto(f"/onboardings/{customer}")
        page.get_by_role("link", name="Verstuur de inloggegevens").click()
    looking = colleague("office")
    looking.goto(f"/onboardings/{customer}")
    # When both press
    anna.get_by_role("button", name="Verstuur").click()
    expect(anna.get_by_role("status")).to_contain_text("besteld")
    bram.get_by_role("button", name="Verstuur").click()
    # Then the second is told who was first, and whoever looks sees it arrive.
    expect(bram.get_by_text("door A. Jansen")).to_be_visible()
    TwoSeconds().show(looking.get_by_text("besteld door A. Jansen"))
    expect(looking.get_by_text("De klant kan inloggen.")).to_be_visible()


def test_an_activator_needs_no_mouse(api: Api, colleague: Colleague) -> None:
    customer = released(api, "Schilder Kwast")
    page = colleague()
    page.goto(f"/onboardings/{customer}/activate")
    page.get_by_role("radio").first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio").nth(1)).to_be_checked()
    page.keyboard.press("Enter")
    expect(page.get_by_text("per sms, besteld door M. Voorbeeld")).to_be_visible()


def test_without_scripts_a_selection_is_activated_all_the_same(
    api: Api, colleague: Colleague
) -> None:
    # Given two customers of an office, and a browser without scripts
    for company in ("Hoveniersbedrijf Groen", "Hoveniersbedrijf Rood"):
        released(api, company)
    page = colleague(javascript=False)
    # When somebody looks for them, and selects both in their list
    page.goto("/")
    page.get_by_label("Zoek een klant").fill("hoveniersbedrijf")
    page.get_by_role("button", name="Zoeken").click()
    expect(page.get_by_role("link", name="Hoveniersbedrijf Groen")).to_be_visible()
    page.goto("/?group=activate")
    for company in ("Hoveniersbedrijf Groen", "Hoveniersbedrijf Rood"):
        page.get_by_label(f"Kies {company}").check()
    page.get_by_role("button", name="Controleer de selectie en activeer").click()
    page.get_by_role("button", name="Verstuur de inloggegevens").click()
    # Then the page tells what became of each.
    expect(page.get_by_role("link", name="Hoveniersbedrijf Groen")).to_be_visible()
    expect(page.locator(".progress")).to_contain_text("van 2 klaar")


@pytest.mark.parametrize("width", [1280, 360])
def test_the_office_knows_what_to_do_at_a_glance(
    api: Api, stage: Stage, colleague: Colleague, width: int
) -> None:
    # Given an office with a sign-up to check, a customer to activate and one who must sign
    if not api.ask("GET", "/api/onboardings", params={"office": QUIET}).json():
        _fill_quiet_office(api, stage)
    (customer,) = (
        row["onboarding_id"]
        for row in api.ask("GET", "/api/onboardings", params={"office": QUIET}).json()
        if row["company"] == "Bakkerij De Korenbloem"
    )
    page = colleague(office=QUIET, width=width, at=MONDAY_MORNING)
    numbered = [page.locator(name).filter(has_text=NUMBERED) for name in PARTS]
    # When it opens its pages, Then they look as they were judged to be clear.
    for path, name in (
        ("/", "work-list"),
        (f"/onboardings/{customer}", "customer"),
        (f"/onboardings/{customer}/activate", "activate"),
    ):
        page.goto(path)
        # How wide the columns are goes by the digits of the references in them.
        lists = [page.locator("table").last] if name == "work-list" else []
        assert_looks_like(page, f"{name}-{width}", hide=[*numbered, *lists])


def _fill_quiet_office(api: Api, stage: Stage) -> None:
    stage.open_office(QUIET, review="always", email="kantoor@stil.example")
    for company, end in (
        ("Kapper Knip", "review"),
        ("Smederij Vonk", "signature_missing"),
        ("Bakkerij De Korenbloem", "ready_to_activate"),
    ):
        form = api.form(QUIET) | {"package": {"code": "basis", "modules": []}}
        form["customer"] |= {"company": company, **ANNA}
        onboarding_id = api.sign_up(QUIET, **form)
        api.waits_for(onboarding_id, "review")
        _wait_for_mails(stage)
        if end != "review":
            api.ask("POST", f"/api/registrations/{onboarding_id}/register")
            order = api.order_of(onboarding_id)
            _wait_for_mails(stage)
        if end == "ready_to_activate":
            api.sign(order)
            _wait_for_mails(stage)
            api.report(api.to_collect(order))
        api.waits_for(onboarding_id, end)
        _wait_for_mails(stage)


def _wait_for_mails(stage: Stage) -> None:
    """Each step's mails leave before the next step: so the story has one order."""

    def have_left() -> bool:
        return not any(standing(runtime).unsent for runtime in stage.runtimes)

    wait_until(have_left, "every mail has left", 30)


def test_king_sees_every_office(api: Api, colleague: Colleague) -> None:
    unsigned = api.sign_up()
    api.order_of(unsigned)
    page = colleague("king", None, language="en")
    page.goto("/")
    expect(page.get_by_label("Office")).to_be_visible()
    expect(page.get_by_role("heading", name="Waiting for a signature")).to_be_visible()
