"""An operator before what failed: sees it at once, understands it, and mends it."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from infra.operations.dead_letters import decisions
from shared.processing import Person
from tests.browser.accessible import assert_accessible
from tests.browser.open_pages import TwoSeconds
from tests.browser.screens import assert_looks_like
from tests.browser.usable import assert_usable
from tests.browser.visitors import Visitors
from tests.e2e.api import Api
from tests.e2e.stage import Stage
from tests.integration.pages.operations.conftest import Failures
from tests.servers.premises import wait_until
from tests.visitors import sign_in

BILLING = "/operations/billing"
DOWN = "ConnectionError: the bank's register is down"

Operator = Callable[..., Page]


@pytest.fixture
def operator(person: Visitors, stage: Stage, origin: str) -> Operator:
    """Makes the page of an operator who is signed in."""

    def make(name: str = "O. Beheer", **settings: Any) -> Page:
        page = person(**settings)
        kept = sign_in(stage.settings, "operator", None, name, at=stage.clock())
        page.context.add_cookies(
            [
                {"name": f"stappenplan-{cookie}", "value": value, "url": origin}
                for cookie, value in kept.items()
            ]
        )
        return page

    return make


@pytest.fixture
def failures(api: Api) -> Failures:
    """What failed at billing: nothing, until the test says so."""
    failures = Failures(api)
    for letter_id in failures.dead():
        decisions.drop(
            failures.runtime.database,
            letter_id,
            by=Person("test"),
            why="of an earlier test",
            at=api.stage.clock(),
        )
    return failures


def a_customer(api: Api, company: str) -> str:
    """A customer by this name who waits for KING."""
    onboarding_id = api.sign_up(customer=api.customer_of(company))
    api.order_of(onboarding_id)
    return onboarding_id


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_page_of_operators_is_for_everybody(
    api: Api, operator: Operator, failures: Failures, language: str
) -> None:
    # Given letters of two kinds, one of them with a customer
    letter_id, _ = failures.report(about=a_customer(api, "Drukkerij Zetsel"))
    failures.exhausted(2, DOWN)
    page = operator(language=language)
    page.goto(BILLING)
    groups = [
        link.get_attribute("href") or "" for link in page.locator("a[href*='/groups/']").all()
    ]
    letter = f"{BILLING}/letters/{letter_id}"
    # When somebody opens each page, Then axe finds nothing, and everything is reached by keys, on
    # a telephone and at 200 %.
    paths = ["/operations", BILLING, f"{BILLING}/part", *groups, letter, f"{letter}/correct"]
    for path in (*paths, *(f"{group}/rehearsal" for group in groups)):
        page.goto(path)
        assert_accessible(page)
        assert_usable(page)


def test_an_open_page_shows_what_fails_and_what_is_mended_within_two_seconds(
    operator: Operator, failures: Failures
) -> None:
    # Given all services in order, and an operator who has the page open
    page, list_page = operator(), operator()
    page.goto("/operations")
    list_page.goto(BILLING)
    billing = page.locator("#service-billing")
    expect(list_page.get_by_text("Er is hier niets misgegaan")).to_be_visible()
    # When something fails
    letter_id, _ = failures.report()
    # Then both pages say so by themselves,
    trouble = billing.get_by_text("vraagt aandacht")
    letter = list_page.locator(f"a[href$='{letter_id}']")
    TwoSeconds().show(trouble, letter)
    # and when somebody drops it, it is gone from them.
    decisions.drop(
        failures.runtime.database, letter_id, by=Person("x"), why="x", at=failures.api.stage.clock()
    )
    TwoSeconds().hide(trouble, letter)


@pytest.mark.parametrize("javascript", [True, False])
def test_a_message_is_corrected_rehearsed_and_retried(
    api: Api, operator: Operator, failures: Failures, javascript: bool
) -> None:
    # Given a report that KING wrote wrongly
    letter_id, event = failures.report(about=a_customer(api, "Bakkerij De Proef"))
    page = operator(javascript=javascript)
    page.goto("/operations")
    page.get_by_role("link", name=re.compile("^Facturatie")).click()
    page.locator(f"a[href$='{letter_id}']").click()
    page.get_by_role("link", name="Corrigeren").click()
    # When the operator writes it right, and rehearses that
    right = json.dumps({**event, "data": {**event["data"], "attempt": 1}}, indent=2)
    page.get_by_label("Zoals het moet zijn").fill(right)
    page.get_by_role("button", name="Eerst proberen").click()
    # Then it is shown what would happen; when they do it in earnest, it succeeds.
    expect(page.get_by_role("heading", name="Het zou lukken")).to_be_visible()
    page.get_by_label("Wat hebt u gecorrigeerd?").fill("De poging is een getal")
    page.get_by_role("button", name="Nu echt aanbieden").click()
    expect(page.get_by_text("opnieuw aangeboden.", exact=False).first).to_be_visible()
    outcome = page.locator("#standing .badge").first
    if javascript:
        expect(outcome).to_have_text("gelukt")
    else:
        wait_until(lambda: bool(page.reload()) and outcome.inner_text() == "gelukt", "it ran", 10)


def test_a_service_that_does_not_answer_is_shown_as_away_until_it_does(
    operator: Operator, failures: Failures
) -> None:
    # Given a proxy that finds billing's process away
    page = operator(expects=(502,))
    away = re.compile("/operations/billing/part")
    page.route(away, lambda route: route.fulfill(status=502, body="Bad gateway"))
    # When an operator opens the page of all services, Then its lamp says so, and no other's;
    page.goto("/operations")
    lamp = page.locator("#service-billing .lamp")
    expect(lamp).to_have_text("geen antwoord")
    expect(page.locator("#service-signup .lamp")).not_to_have_text("geen antwoord")
    # and when it is back, its lamp is its own again.
    page.unroute(away)
    expect(lamp).to_have_text(re.compile("alles is gedaan|aan het werk"))


def test_a_group_is_retried_and_its_progress_shows_by_itself(
    operator: Operator, failures: Failures
) -> None:
    failures.exhausted(3, DOWN)
    page = operator()
    page.goto(BILLING)
    page.get_by_role("link", name="Behandel deze 3 samen").click()
    page.get_by_label("Wat is er sindsdien veranderd?").fill("De bank is er weer")
    page.get_by_role("button", name="Bied 3 opnieuw aan").click()
    expect(page.get_by_text("3 van 3 klaar")).to_be_visible()
    expect(page.locator(".badge", has_text="gelukt")).to_have_count(3)


def test_how_the_pages_of_operators_look(api: Api, operator: Operator, failures: Failures) -> None:
    letter_id, event = failures.report(about=a_customer(api, "Drukkerij Zetsel BV"))
    failures.exhausted(3, DOWN)
    page = operator()
    varying = [page.locator(where) for where in ("dd", "code", "td", "tbody th", "textarea")]
    letter = f"{BILLING}/letters/{letter_id}"
    for name, path in (
        ("operations", "/operations"),
        ("operations-service", BILLING),
        ("operations-letter", letter),
        ("operations-correct", f"{letter}/correct"),
    ):
        page.goto(path)
        assert_looks_like(page, name, hide=varying)
    right = json.dumps({**event, "data": {**event["data"], "attempt": 1}}, indent=2)
    page.get_by_label("Zoals het moet zijn").fill(right)
    page.get_by_role("button", name="Eerst proberen").click()
    assert_looks_like(page, "operations-rehearsal", hide=varying)
