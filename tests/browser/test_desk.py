"""KING's desk with a scanner and a pile of papers: twenty in a row, and nobody needs the mouse."""

from collections.abc import Callable, Collection, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from services.billing.confirmation.notices import scan_token
from shared.host.settings import Settings
from tests.browser.accessible import assert_accessible
from tests.browser.open_pages import TwoSeconds
from tests.browser.screens import assert_looks_like
from tests.browser.usable import assert_usable
from tests.browser.visitors import Visitors
from tests.e2e.api import Api
from tests.e2e.clock import MONDAY_MORNING, StandingClock
from tests.e2e.stage import Stage, one_process
from tests.visitors import sign_in

PAPERS = 20
SCANNED, SIGNED_BY = "[data-scan]", "#field-signed_by"
SOMEBODY_ELSE = {"kind": "other", "name": "Zonnig Beheer B.V.", "email": "z@beheer.example"}
"""A payer who gave no account: it stands on the paper alone."""

Clerk = Callable[..., Page]


@pytest.fixture
def clerk(person: Visitors, stage: Stage, origin: str) -> Clerk:
    """Makes the page of somebody of KING's back office who is signed in."""

    def make(expects: Collection[int] = (), **settings: Any) -> Page:
        page = person(expects=expects, **settings)
        let_in(page, stage, origin)
        return page

    return make


def let_in(page: Page, stage: Stage, origin: str) -> None:
    """Sign the person in at KING's back office."""
    kept = sign_in(stage.settings, "king", None, at=stage.clock())
    page.context.add_cookies(
        [
            {"name": f"stappenplan-{cookie}", "value": value, "url": origin}
            for cookie, value in kept.items()
        ]
    )


def type_in(page: Page, field: str, text: str) -> None:
    """Type where the cursor is, as people do: once it stands in the field that they expect."""
    expect(page.locator(field)).to_be_focused()
    page.keyboard.type(text)


def scan(page: Page, stage: Stage, reference: str) -> None:
    """What a scanner does: it types the text of the code, and Enter."""
    type_in(page, SCANNED, scan_token(reference, stage.settings.sealing_key()))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/orders/{reference}*")


def sign(page: Page, name: str) -> None:
    """The clerk types who signed, and Enter."""
    type_in(page, SIGNED_BY, name)
    page.keyboard.press("Enter")
    page.wait_for_url("**/orders?recorded=*")


def signed_by(api: Api, reference: str) -> Any:
    return api.ask("GET", f"/api/orders/{reference}").json()["signed_by"]


def test_twenty_papers_are_recorded_in_a_row_by_keyboard_alone(
    stage: Stage, api: Api, clerk: Clerk
) -> None:
    # Given a pile of papers, and the list before the clerk
    papers = [api.order_of(one) for one in [api.sign_up() for _ in range(PAPERS)]]
    page = clerk()
    page.goto("/orders")
    # When each is scanned, and who signed is typed, and nothing is pressed but keys
    for number, reference in enumerate(papers):
        scan(page, stage, reference)
        sign(page, f"Tekenaar {number}")
        # Then it is said which was recorded, and the scanner can go on.
        expect(page.get_by_role("status")).to_contain_text(f"{reference} vastgelegd")
        expect(page.locator(SCANNED)).to_be_focused()
    assert [signed_by(api, one) for one in papers] == [f"Tekenaar {n}" for n in range(PAPERS)]
    # And the last is undone from where the cursor is: past the button, past the link.
    for key in ("Tab", "Tab", "Tab", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_text("De ondertekening is teruggenomen")).to_be_visible()
    assert signed_by(api, papers[-1]) is None


def test_the_pile_is_recorded_without_scripts_as_well(stage: Stage, api: Api, clerk: Clerk) -> None:
    # Given a browser without scripts
    first, second = api.order_of(api.sign_up()), api.order_of(api.sign_up(payer=SOMEBODY_ELSE))
    page = clerk(javascript=False)
    page.goto("/orders")
    # When a paper that came by fax is recorded
    scan(page, stage, first)
    page.get_by_label("per fax").check()
    page.get_by_label("Getekend door").fill("J. de Wit")
    page.keyboard.press("Enter")
    page.wait_for_url("**/orders?recorded=*")
    # Then the next one will have come so too, and its account is taken over from it.
    scan(page, stage, second)
    expect(page.get_by_label("per fax")).to_be_checked()
    page.get_by_label("IBAN").fill("NL20 INGB 0001 2345 67")
    page.get_by_label("Getekend door").fill("Z. Beheer")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text(f"{second} vastgelegd")
    assert (signed_by(api, first), signed_by(api, second)) == ("J. de Wit", "Z. Beheer")


def test_escape_leads_back_to_the_scanner_and_ctrl_enter_sends(
    stage: Stage, api: Api, clerk: Clerk
) -> None:
    # Given a clerk at an order, who has another paper before them
    wrong, right = api.order_of(api.sign_up()), api.order_of(api.sign_up())
    page = clerk()
    page.goto(f"/orders/{wrong}")
    type_in(page, SIGNED_BY, "J. de W")
    # When Escape is pressed and that paper scanned, Then its order is there
    page.keyboard.press("Escape")
    scan(page, stage, right)
    # And Ctrl+Enter records it from wherever the cursor is.
    type_in(page, SIGNED_BY, "J. de Wit")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/orders?recorded=*")
    assert (signed_by(api, wrong), signed_by(api, right)) == (None, "J. de Wit")


def test_a_new_order_appears_by_itself_while_the_clerk_types(api: Api, clerk: Clerk) -> None:
    # Given an open list, and something typed in the field
    page = clerk()
    page.goto("/orders")
    type_in(page, SCANNED, "O-2026")
    # When an order is placed
    reference = api.order_of(api.sign_up())
    # Then it is there within two seconds, and what was typed is as it was.
    TwoSeconds().show(page.get_by_role("link", name=reference))
    expect(page.locator(SCANNED)).to_have_value("O-2026")
    expect(page.locator(SCANNED)).to_be_focused()


def test_what_a_colleague_recorded_is_seen_on_an_open_order(api: Api, clerk: Clerk) -> None:
    # Given an order that two clerks have open, of whom one has typed a name
    reference = api.order_of(api.sign_up())
    page = clerk(expects=(409,))
    page.goto(f"/orders/{reference}")
    type_in(page, SIGNED_BY, "B. Anders")
    # When the other records it, Then this page says so, and the name is still there
    api.sign(reference, signed_by="J. de Wit")
    TwoSeconds().show(page.locator("#standing").filter(has_text="J. de Wit"))
    expect(page.locator(SIGNED_BY)).to_have_value("B. Anders")
    # And recording it all the same tells what stands there.
    page.keyboard.press("Enter")
    expect(page.get_by_text("al ondertekend, met andere gegevens")).to_be_visible()
    assert_accessible(page)


def held(api: Api) -> str:
    """An order of which KING reports too much money."""
    reference = api.order_of(api.sign_up())
    api.sign(reference)
    collection = api.to_collect(reference)
    api.report(collection, amount_cents=collection["amount_cents"] + 1250)
    return reference


def failed(api: Api, reason_code: str) -> str:
    """An order whose collection came to nothing."""
    reference = api.order_of(api.sign_up())
    api.sign(reference)
    api.report(api.to_collect(reference), status="failed", reason_code=reason_code)
    return reference


def page_of_result(page: Page, reference: str) -> str:
    page.goto("/held-results?limit=500")
    link = page.locator(f"a[href^='/held-results/{reference}.']")
    return str(link.get_attribute("href"))


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_page_of_the_desk_is_for_everybody(api: Api, clerk: Clerk, language: str) -> None:
    # Given orders at every stage, and a result on hold
    unsigned, unknown = (
        api.order_of(api.sign_up()),
        api.order_of(api.sign_up(payer=SOMEBODY_ELSE)),
    )
    on_hold, waits, refused = held(api), failed(api, "AM04"), failed(api, "AC04")
    page = clerk(language=language, expects=(404, 422))
    # When each page is opened, Then axe finds nothing, and all is reached by keys, on a telephone
    # and at 200 %.
    for path in (
        "/orders",
        "/orders?status=signed",
        "/orders?q=niemand",
        f"/orders?recorded={waits}",
        f"/orders?q={unsigned}.WRONGSEAL",
        f"/orders/{unsigned}",
        f"/orders/{unknown}",
        f"/orders/{on_hold}",
        f"/orders/{waits}",
        f"/orders/{refused}",
        "/held-results",
        page_of_result(page, on_hold),
    ):
        page.goto(path)
        assert_accessible(page)
        if language == "nl":
            assert_usable(page)


@pytest.fixture
def desk_of_its_own(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Api, Visitors]]:
    """A stage whose orders are those of the screenshots alone, with the same numbers each time."""
    folder = tmp_path_factory.mktemp("desk")
    settings = Settings(data_dir=folder, http_port=0, log_level="error")
    with one_process(settings, simulate_king=False, clock=StandingClock()) as stage:
        visitors = Visitors(browser, stage.addresses["billing"])
        yield Api(stage), visitors
        visitors.leave()


@pytest.mark.parametrize("width", [1280, 360])
def test_the_desk_looks_as_it_was_judged_to_be_clear(
    desk_of_its_own: tuple[Api, Visitors], width: int
) -> None:
    # Given a paper to record, one without an account, a failure and a result on hold
    api, visitors = desk_of_its_own
    unsigned = api.order_of(api.sign_up())
    unknown = api.order_of(api.sign_up(payer=SOMEBODY_ELSE))
    refused, on_hold = failed(api, "AC04"), held(api)
    page = visitors(width=width, at=MONDAY_MORNING)
    let_in(page, api.stage, api.stage.addresses["billing"])
    result = page_of_result(page, on_hold)
    # When each page is opened, Then it looks as somebody found it good.
    for path, name in (
        ("/orders", "orders"),
        (f"/orders?recorded={refused}", "order-recorded"),
        (f"/orders/{unsigned}", "order-to-record"),
        (f"/orders/{unknown}", "order-without-account"),
        (f"/orders/{refused}", "order-refused"),
        ("/held-results", "held-results"),
        (result, "held-result"),
    ):
        page.goto(path)
        assert_looks_like(page, f"{name}-{width}", hide=[page.locator(".timeline")])
