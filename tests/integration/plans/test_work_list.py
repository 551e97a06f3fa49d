"""The work list is read along its indexes, however many customers there are."""

from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from shared.web.app import create_app
from shared.web.pages import Site
from shared.web.passes import Staff, issue_pass
from tests.integration.plans import stock
from tests.integration.plans.conftest import MakeVeteran, Veteran
from tests.integration.plans.planner import noting, objections

ROLES = {"activator": stock.OFFICE, "king": None}


def browser_of(running: Veteran, role: str) -> TestClient:
    """Somebody in this role, in front of the pages."""
    runtime = running.runtime
    assert runtime.service.pages is not None
    site = Site(runtime.settings.page_links())
    key = runtime.settings.signing_key()
    app = create_app([runtime.service.pages(runtime)], token_key=key, site=site)
    staff = Staff(str(uuid4()), "M. Voorbeeld", role, ROLES[role])
    token = issue_pass(site.links.signer, staff, runtime.clock())
    browser = TestClient(app, base_url="http://127.0.0.1")
    browser.cookies.set(site.cookie("pass"), token)
    return browser


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "query",
    [
        "",
        "group=check",
        "group=unsigned",
        "q=bakkerij",
        "step=BEVESTIGEN&actor=payer",
        "office=0042",
    ],
)
def test_each_view_of_the_work_list_walks_along_an_index(
    veteran: MakeVeteran, role: str, query: str
) -> None:
    # Given activation after long use, and somebody who is signed in
    running = veteran("activation")
    browser = browser_of(running, role)
    # When they open this view of the work list, and its next page
    with noting(running.engine) as statements:
        page = browser.get(f"/?{query}")
        following = page.text.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
        if 'rel="next"' in page.text:
            assert browser.get(following.replace("&amp;", "&")).status_code == 200
    # Then it is there, and no table was read or sorted whole.
    assert page.status_code == 200
    assert "Bakkerij" in page.text
    assert objections(running.engine, statements, running.tables) == []
