"""What every page has in common: who may open it, from where it may be posted, how it fails."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import Depends, Request
from fastapi.testclient import TestClient
from starlette.responses import Response

from shared.base.errors import Conflict
from shared.links import PageLinks
from shared.web.app import create_app
from shared.web.auth import Caller
from shared.web.pages import (
    NavigationEntry,
    PageTemplates,
    Posted,
    Site,
    Words,
    own_path,
    pages_router,
    see_other,
    staff_with,
)
from shared.web.passes import Staff, issue_pass

KEY = "k" * 40
ADDRESS = "https://stappenplan.example"
CLERK = Staff("session-1", "M. Voorbeeld", "king", None)
CLERKS = NavigationEntry("/orders", Words("Orders", "Orders"), "orders:confirm")
OFFICES = NavigationEntry("/registrations", Words("Inschrijvingen", "Sign-ups"), "users:activate")


@pytest.fixture
def site() -> Site:
    return Site(PageLinks(ADDRESS, [KEY]), [CLERKS, OFFICES], is_public=True)


@pytest.fixture
def browser(site: Site, tmp_path: Path) -> Iterator[TestClient]:
    """A browser in front of a site of two pages."""
    (tmp_path / "desk.html").write_text(
        '{% extends "base.html" %}{% block title %}{{ tr("Balie", "Desk") }}{% endblock %}'
        '{% block main %}<p>{{ tr("Dag {name}", "Hello {name}", name=name) }}</p>'
        "{{ ui.hidden_key() }}{% endblock %}"
    )
    templates, pages = PageTemplates(tmp_path), pages_router()
    Clerk = Annotated[Caller, Depends(staff_with("orders:confirm"))]  # noqa: N806

    @pages.get("/desk")
    def desk(request: Request, clerk: Clerk) -> Response:
        return templates.page(request, "desk.html", name=f"<b>{clerk.name}</b>")

    @pages.post("/desk")
    def record(clerk: Clerk, form: Posted) -> Response:
        if form.text("reference") == "taken":
            raise Conflict("already_signed", "It was signed before.")
        return see_other("/desk", done=form.text("reference") or "nothing")

    @pages.get("/crash/{token}")
    def crash(token: str) -> Response:
        raise RuntimeError("secret details")

    app = create_app([pages], token_key=KEY, site=site)
    with TestClient(app, base_url=ADDRESS, follow_redirects=False) as client:
        yield client


def sign_in(browser: TestClient, site: Site, staff: Staff = CLERK, ago: int = 0) -> None:
    at = datetime.now(UTC) - timedelta(minutes=ago)
    browser.cookies.set(site.cookie("pass"), issue_pass(site.links.signer, staff, at))


def post(browser: TestClient, headers: dict[str, str] | None = None, **fields: str) -> Any:
    data = {"form_key": "8f8f9f6e-8f0f-4b53-9d6c-2e8a2f4c9b11", **fields}
    own = {"Sec-Fetch-Site": "same-origin"}
    return browser.post("/desk", data=data, headers=own if headers is None else headers)


def test_a_clerk_sees_their_page_in_their_language(browser: TestClient, site: Site) -> None:
    # Given a clerk who is signed in
    sign_in(browser, site)
    # When they open the page, and then switch to English
    dutch, english = browser.get("/desk"), browser.get("/desk?lang=en")
    # Then it speaks their language, now and from then on, and what is a name is no markup.
    assert "Dag &lt;b&gt;M. Voorbeeld&lt;/b&gt;" in dutch.text
    assert '<html lang="en">' in english.text
    assert "Hello" in browser.get("/desk").text
    # And the menu holds what is theirs alone.
    assert "/orders" in dutch.text
    assert "/registrations" not in dutch.text


def test_a_page_says_what_a_browser_may_do_with_it(browser: TestClient, site: Site) -> None:
    sign_in(browser, site)
    headers = browser.get("/desk").headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"


def test_who_is_not_signed_in_is_sent_to_do_so_and_comes_back(browser: TestClient) -> None:
    answer = browser.get("/desk?q=a%26b")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/staff/pass?next=%2Fdesk%3Fq%3Da%2526b"


def test_a_form_outlives_a_pass_that_ended(browser: TestClient, site: Site) -> None:
    # Given a clerk whose pass ended while they filled in the form
    sign_in(browser, site, ago=6)
    # When they send it
    answer = post(browser, reference='O-2026-"1"')
    # Then nothing was done, and the form is in hand to be sent once the pass is renewed.
    assert answer.status_code == 200
    assert 'action="/staff/pass?next=%2Fdesk"' in answer.text
    assert 'value="O-2026-&#34;1&#34;"' in answer.text


def test_another_role_is_told_that_the_page_is_not_theirs(browser: TestClient, site: Site) -> None:
    sign_in(browser, site, Staff("session-2", "A. Kantoor", "activator", "0042"))
    answer = browser.get("/desk")
    assert answer.status_code == 403
    assert "andere rol" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://stappenplan.example"},
        {},
    ],
)
def test_a_form_of_another_site_is_refused(
    browser: TestClient, site: Site, headers: dict[str, str]
) -> None:
    sign_in(browser, site)
    assert post(browser, headers, reference="O-1").status_code == 403


def test_a_form_of_an_older_browser_is_known_by_its_origin(browser: TestClient, site: Site) -> None:
    sign_in(browser, site)
    answer = post(browser, {"Origin": ADDRESS}, reference="O-1")
    assert answer.headers["location"] == "/desk?done=O-1"


def test_a_form_without_its_key_is_refused(browser: TestClient, site: Site) -> None:
    sign_in(browser, site)
    assert post(browser, form_key="").status_code == 400


@pytest.mark.parametrize("host", ["evil.example", "localhost", "stappenplan.example.evil.example"])
def test_a_page_under_another_name_is_refused(browser: TestClient, host: str) -> None:
    assert browser.get("/desk", headers={"Host": host}).status_code == 421


def test_a_failure_is_a_page_that_gives_nothing_away(
    browser: TestClient, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    sign_in(browser, site)
    conflict, crash = post(browser, reference="taken"), browser.get("/crash/key-to-a-page")
    assert (conflict.status_code, crash.status_code) == (409, 500)
    assert "It was signed before." in conflict.text
    assert "secret details" not in crash.text
    assert "<h1>" in crash.text
    # Nor does the log say which token stood in the address.
    first_line = capsys.readouterr().out.splitlines()[0]
    assert "/crash/{token}" in first_line
    assert "key-to-a-page" not in first_line


def test_what_is_not_there_is_a_page_for_people_and_a_document_for_programs(
    browser: TestClient,
) -> None:
    page = browser.get("/nowhere", headers={"Accept": "text/html,*/*"})
    document = browser.get("/api/nowhere", headers={"Accept": "application/json"})
    assert (page.status_code, document.status_code) == (404, 404)
    assert "<h1>Deze pagina is er niet</h1>" in page.text
    assert document.json()["code"] == "not_found"


def test_the_stylesheet_is_kept_until_it_changes(browser: TestClient) -> None:
    page = browser.get("/nowhere", headers={"Accept": "text/html"}).text
    address = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    answer = browser.get(address)
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]
    assert browser.get("/static/../app.py").status_code == 404


@pytest.mark.parametrize(
    "path", ["//evil.example", "https://evil.example", "/\\evil.example", "", "evil", "/a\nb"]
)
def test_nobody_is_sent_on_to_another_site(path: str) -> None:
    assert own_path(path) == "/"
    assert own_path("/orders?q=a") == "/orders?q=a"
