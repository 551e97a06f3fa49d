"""A page that is still arriving is judged when it is whole, whichever way it is looked at."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.accessible import assert_accessible
from tests.browser.harness.little_pages import LATER, LittlePages
from tests.browser.harness.test_usable import ROOMY
from tests.browser.usable import assert_usable
from tests.browser.visitors import Visitors

SLOW = "<!doctype html><html lang='nl'><head><title>Langzaam</title>"
REST = "</head><body><main><h1>Langzaam</h1><button>Verder</button></main></body>"


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("look", [assert_accessible, assert_usable], ids=["axe", "usable"])
def test_a_page_that_is_still_arriving_is_looked_at_when_it_is_whole(
    pages: LittlePages, person: Visitors, look: Callable[[Page], None], javascript: bool
) -> None:
    # Given a page behind a button, of which the second half takes its time,
    pages.serve("/slow", f"{SLOW}{LATER}{REST}</html>")
    page = person(javascript=javascript)
    page.goto(pages.page('<form action="/slow"><button>Verder</button></form>', css=ROOMY))
    # When somebody presses the button and looks at once,
    page.get_by_role("button").click()
    # Then it is the whole page that is judged.
    look(page)
    assert page.url.endswith("/slow?")
