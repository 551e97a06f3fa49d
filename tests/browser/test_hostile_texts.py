"""Whatever people typed, a browser runs none of it: not a dialog, an error or a violation."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Dialog, Page

from tests.browser.visitors import Visitors
from tests.integration.pages.security.everything import Everything, PageOf, whole_house
from tests.integration.pages.security.hostile import hostile_house
from tests.visitors import Visitor

REFUSALS = (403, 404, 409, 410, 422)
"""What pages answer to whom they are not for, and where nothing is."""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Everything]:
    with whole_house(tmp_path_factory.mktemp("hostile")) as everything:
        yield hostile_house(everything)


@pytest.mark.slow
def test_a_browser_runs_nothing_that_was_typed(browser: Browser, hostile: Everything) -> None:
    # Given people of every kind, who open every page about customers who typed markup,
    visitors, dialogs = Visitors(browser, hostile.api.address), list[str]()

    def note(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    for visitor in (hostile.staff["activator"], hostile.staff["king"], hostile.somebody):
        page = visitors(expects=REFUSALS)
        page.on("dialog", note)
        _sign_in(page, visitor, hostile.api.address)
        for shown in _shown_to(hostile, visitor):
            page.goto(shown.address, wait_until="domcontentloaded")
            assert page.locator("body").inner_text().strip(), str(shown)
    # Then no script of theirs ran, and none was even tried.
    assert dialogs == []
    visitors.leave()


def _sign_in(page: Page, visitor: Visitor, origin: str) -> None:
    page.context.add_cookies(
        [
            {"name": cookie.name, "value": cookie.value or "", "url": origin}
            for cookie in visitor.http.cookies.jar
        ]
    )


def _shown_to(hostile: Everything, visitor: Visitor) -> Iterator[PageOf]:
    """The whole pages that somebody may open, about each of the customers."""
    seen = set()
    for customer in (hostile.customer, *hostile.others):
        for page in hostile.pages("GET", customer=customer):
            path = page.address if "{" in page.path else page.path
            if path in seen or page.path.startswith("/static/"):
                continue
            seen.add(path)
            answer = hostile.open(visitor, page)
            is_page = answer.headers.get("content-type", "").startswith("text/html")
            if is_page and answer.is_success and not page.path.endswith("/html"):
                yield page
