"""A name or an address of one very long word: no page of the staff scrolls sideways for it."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Page, expect

from shared.host.settings import Settings
from tests.browser.usable import too_wide
from tests.browser.visitors import Visitors, as_staff
from tests.e2e.api import Api
from tests.e2e.stage import Stage, one_process

OFFICE = "0077"
"""One that checks each sign-up."""
COMPANIES = ("W" * 200, "Bakkerij Hottentottententententoonstellingsmakersgilde & " + "W" * 60)
EMAIL = f"{'a' * 55}@{'b' * 50}.example"
WIDTHS = (360, 1024, 1280)
BROKEN = Path(__file__).with_name("broken_words.js").read_text(encoding="utf-8")
"""Finds the short words in tables that were broken in the middle to make room for a long one."""


class Known(NamedTuple):
    """The customers on the pages: two who wait for a check, two whose payer must sign."""

    stage: Stage
    unchecked: list[str]
    unsigned: list[str]
    orders: list[str]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("long"), http_port=0, log_level="error")
    with one_process(settings, first_run=True) as stage:
        stage.open_office(OFFICE, review="always")
        api = Api(stage)
        unchecked = [_sign_up(api, company) for company in COMPANIES]
        unsigned = [_sign_up(api, company) for company in COMPANIES]
        for customer in unsigned:
            api.ask("POST", f"/api/registrations/{customer}/register")
        yield Known(stage, unchecked, unsigned, [api.order_of(one) for one in unsigned])


@pytest.fixture
def origin(known: Known) -> str:
    return known.stage.addresses["activation"]


def _sign_up(api: Api, company: str) -> str:
    form = api.form(OFFICE)
    form["customer"] |= {"company": company, "email": EMAIL}
    form["customer"]["contact"] = {"first_name": "A" * 200, "last_name": "C" * 200}
    form["customer"]["address"] |= {"street": "S" * 200, "city": "P" * 200}
    payer = form["payer"] | {"account_holder": "H" * 200}
    return api.to_check(OFFICE, customer=form["customer"], payer=payer)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_office_never_scrolls_sideways_for_a_long_name(
    known: Known, person: Visitors, origin: str, width: int
) -> None:
    page = as_staff(person(width=width), known.stage, origin, "activator", OFFICE)
    paths = ["/", "/?group=check", "/registrations", "/registrations?status=registered"]
    for one in known.unchecked:
        paths += [f"/registrations/{one}", f"/registrations/{one}/correct"]
    for one in (*known.unchecked, *known.unsigned):
        paths += [f"/onboardings/{one}", f"/onboardings/{one}/contact"]
        paths += [f"/onboardings/{one}/activate", f"/signups/{one}/withdraw"]
    _open_all(page, paths)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_desk_never_scrolls_sideways_for_a_long_name(
    known: Known, person: Visitors, origin: str, width: int
) -> None:
    page = as_staff(person(width=width), known.stage, origin, "king")
    orders = [f"/orders/{order}" for order in known.orders]
    _open_all(page, ["/", "/orders", "/orders?q=W", *orders, "/mailbox", "/demo"])


def _open_all(page: Page, paths: list[str]) -> None:
    wrong = []
    for path in paths:
        page.goto(path)
        for part in page.locator("section[hx-get]").all():
            expect(part.get_by_role("heading")).to_be_visible()
        wrong += [f"{path}: {problem}" for problem in too_wide(page)]
        wrong += [f"{path}: {words} is broken in the middle" for words in _broken(page)]
    assert not wrong, "\n".join(wrong)


def _broken(page: Page) -> list[str]:
    """The short words in tables that were broken in the middle to make room for a long one."""
    return list(page.evaluate(BROKEN))
