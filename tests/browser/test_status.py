"""The customer before their own page: at a glance, by keys, and as it changes."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from shared.links import Purpose
from tests.browser.accessible import assert_accessible
from tests.browser.open_pages import TwoSeconds
from tests.browser.screens import assert_looks_like
from tests.browser.usable import assert_usable
from tests.browser.visitors import Visitors
from tests.e2e.api import Api
from tests.e2e.stage import Stage

OFFICE = "0195"
"""An office whose customers are those of this file alone, and which checks each of them."""


@pytest.fixture(scope="module")
def customer(stage: Stage, api: Api) -> str:
    """A customer who waits for their office's check."""
    stage.open_office(OFFICE, name="Kantoor De Linde", phone="020 123 45 67", review="always")
    return api.to_check(OFFICE, customer=api.customer_of("Bakkerij De Halm", OFFICE))


def link(stage: Stage, onboarding_id: str, language: str = "nl", minutes_ago: int = 0) -> str:
    at = stage.clock() - timedelta(minutes=minutes_ago)
    path = stage.settings.page_links().path(Purpose.STATUS, onboarding_id, at)
    return f"{path}?lang={language}"


def follow(person: Visitors, stage: Stage, onboarding_id: str, **settings: object) -> Page:
    page = person(**settings)  # type: ignore[arg-type]
    page.goto(link(stage, onboarding_id))
    return page


@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_customers_page_is_for_everybody(
    person: Visitors, stage: Stage, customer: str, language: str
) -> None:
    page = person(language=language)
    page.goto(link(stage, customer, language))
    assert_accessible(page)
    page.get_by_text("E-mailadres of mobiel" if language == "nl" else "Change e-mail").click()
    assert_accessible(page)
    if language == "nl":
        assert_usable(page)


def test_a_link_that_is_over_is_for_everybody(
    person: Visitors, stage: Stage, api: Api, customer: str
) -> None:
    page = person(expects=(410,), javascript=False)
    token = link(stage, customer, minutes_ago=5)
    api.ask("PATCH", f"/api/onboardings/{customer}/contact", json={"email": "halm@nieuw.example"})
    page.goto(token)
    expect(page.get_by_role("heading", level=1)).to_have_text("Deze link is verlopen")
    page.get_by_role("button", name="Stuur mij een nieuwe link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Kijk in uw e-mail")


@pytest.mark.parametrize("width", [1280, 360])
def test_the_customer_sees_at_a_glance_whose_turn_it_is(
    person: Visitors, stage: Stage, customer: str, width: int
) -> None:
    page = follow(person, stage, customer, width=width)
    expect(page.get_by_role("heading", level=1)).to_have_text("Uw kantoor controleert uw gegevens")
    assert_looks_like(page, f"status-{width}", hide=[page.locator("dd")])


def test_the_open_page_goes_on_by_itself(person: Visitors, stage: Stage, api: Api) -> None:
    # Given a customer with their page open
    stage.open_office("0194", name="Kantoor De Eik", review="always")
    onboarding_id = api.to_check("0194")
    page = follow(person, stage, onboarding_id)
    expect(page.get_by_role("heading", level=1)).to_have_text("Uw kantoor controleert uw gegevens")
    # When the office registers them, Then the page says so by itself.
    api.ask("POST", f"/api/registrations/{onboarding_id}/register")
    api.order_of(onboarding_id)
    TwoSeconds().show(page.get_by_role("heading", name="Wij wachten op de handtekening"))
