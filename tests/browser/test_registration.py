"""The office before a sign-up: it checks, corrects, and goes on to the next."""

import pytest
from playwright.sync_api import expect

from tests.browser.accessible import assert_accessible
from tests.browser.screens import assert_looks_like
from tests.browser.usable import assert_usable
from tests.browser.visitors import Visitors, as_staff
from tests.e2e.api import Api
from tests.e2e.stage import Stage

OFFICE = "0193"


@pytest.fixture(scope="module")
def waiting(stage: Stage, api: Api) -> str:
    """A sign-up that waits for its office."""
    stage.open_office(OFFICE, name="Kantoor De Beuk", review="always")
    return api.to_check(OFFICE, customer=api.customer_of("Bloemist De Akelei", OFFICE))


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_page_of_checking_is_for_everybody(
    person: Visitors, stage: Stage, origin: str, api: Api, waiting: str, language: str
) -> None:
    page = as_staff(person(language=language, expects=(422,)), stage, origin, "office", OFFICE)
    registered = api.to_check(OFFICE)
    api.ask("POST", f"/api/registrations/{registered}/register")
    for path in (
        "/registrations",
        "/registrations?status=declined",
        f"/registrations/{waiting}",
        f"/registrations/{waiting}/correct",
        f"/registrations/{waiting}/part",
        f"/registrations/{registered}",
        f"/signups/{waiting}/withdraw",
    ):
        page.goto(path)
        assert_accessible(page)
        if language == "nl":
            assert_usable(page)


def test_the_office_corrects_and_registers_without_scripts(
    person: Visitors, stage: Stage, origin: str, api: Api
) -> None:
    onboarding_id = api.to_check(OFFICE)
    page = as_staff(person(javascript=False, expects=(422,)), stage, origin, "office", OFFICE)
    page.goto(f"/registrations/{onboarding_id}")
    page.get_by_role("link", name="Eerst corrigeren").click()
    page.get_by_label("KvK-nummer").fill("123")
    page.get_by_role("button", name="Correctie bewaren").click()
    expect(page.locator("#error-customer-kvk")).to_contain_text("8 cijfers")
    page.get_by_label("KvK-nummer").fill("12345678")
    page.get_by_role("button", name="Correctie bewaren").click()
    expect(page.get_by_text("De gegevens zijn gecorrigeerd")).to_be_visible()
    page.get_by_role("button", name="Aanmelden bij KING").click()
    expect(page.get_by_text("De vorige klant is aangemeld")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 360])
def test_the_office_sees_what_to_check(
    person: Visitors, stage: Stage, origin: str, waiting: str, width: int
) -> None:
    page = as_staff(person(width=width), stage, origin, "office", OFFICE)
    page.goto(f"/registrations/{waiting}")
    hidden = [page.locator("dd"), page.locator(".reference"), page.locator("aside ul")]
    assert_looks_like(page, f"registration-{width}", hide=hidden)
