"""Every page, by everybody: who may open it, who is sent to sign in, and whose it is not.

A page that is made without a line in `PAGES` fails here, and so does a line without its page. To
add one: `"GET /path": "scope"`, or `ANYBODY`, or `HOLDER` for a page with a signed link in its
address. What stands in braces is filled from `SAMPLES` in `everybody.py`; `OWNED` are those of them
that belong to an office.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

import shared.web.app
from shared.host.settings import Settings
from tests.e2e.stage import one_process
from tests.integration.pages.everybody import (
    ANOTHER_OFFICE,
    EVERYBODY,
    MADE_UP,
    NOBODY,
    OWNED,
    Somebody,
    World,
)

ANYBODY = "anybody"
HOLDER = "whoever holds the link"

PAGES: Mapping[str, str] = {
    # Signing in and out.
    "GET /staff/pass": ANYBODY,
    "POST /staff/pass": ANYBODY,
    "GET /staff/sign-in": ANYBODY,
    "POST /staff/sign-in": ANYBODY,
    "GET /staff/callback": ANYBODY,
    "POST /staff/sign-out": ANYBODY,
    "GET /staff/{token}": HOLDER,
    "POST /staff/{token}": HOLDER,
    # The customer's log-in.
    "GET /login": ANYBODY,
    "POST /login": ANYBODY,
    "GET /password": ANYBODY,
    "POST /password": ANYBODY,
    "POST /password/strength": ANYBODY,
    "GET /password/forgotten": ANYBODY,
    "POST /password/forgotten": ANYBODY,
    # Customers and payers, by their links.
    "GET /status/{token}": HOLDER,
    "GET /status/{token}/live": HOLDER,
    "POST /status/{token}/contact": HOLDER,
    "POST /status/{token}/new-link": HOLDER,
    "GET /sign/{token}": HOLDER,
    "GET /sign/{token}/changes": HOLDER,
    "GET /sign/{token}/confirmation.pdf": HOLDER,
    "POST /sign/{token}/online": HOLDER,
    "GET /sign/{token}/online/{signing_id}": HOLDER,
    "POST /sign/{token}/online/{signing_id}": HOLDER,
    "POST /sign/{token}/online/{signing_id}/again": HOLDER,
    "POST /sign/{token}/posted": HOLDER,
    "POST /sign/{token}/scan": HOLDER,
    "POST /sign/{token}/new-link": HOLDER,
    "GET /withdraw/{token}": HOLDER,
    "POST /withdraw/{token}": HOLDER,
    "POST /withdraw/{token}/new-link": HOLDER,
    # The sign-up form, and the webmaster's bench.
    "GET /signup/{code}": ANYBODY,
    "POST /signup/{code}": ANYBODY,
    "GET /signup/{code}/thanks/{token}": HOLDER,
    "GET /signup/{code}/terms": ANYBODY,
    "GET /signup/{code}/price": ANYBODY,
    "POST /signup/{code}/bank": ANYBODY,
    "POST /signup/{code}/hint/{field}": ANYBODY,
    "GET /try/king-billing": ANYBODY,
    "POST /try/king-billing": ANYBODY,
    "GET /try/king-billing/docs": ANYBODY,
    "GET /try/{code}": ANYBODY,
    "POST /try/{code}": ANYBODY,
    "GET /try/{code}/docs": ANYBODY,
    # The offices.
    "GET /offices": "offices:manage",
    "POST /offices": "offices:manage",
    "GET /offices/{code}": "offices:manage",
    "POST /offices/{code}": "offices:manage",
    # The work list, and one customer.
    "GET /": "onboardings:read",
    "GET /onboardings/list": "onboardings:read",
    "GET /onboardings/changes": "onboardings:read",
    "GET /onboardings/{onboarding_id}": "onboardings:read",
    "GET /onboardings/{onboarding_id}/standing": "onboardings:read",
    "GET /onboardings/{onboarding_id}/changes": "onboardings:read",
    "GET /onboardings/{onboarding_id}/activate": "users:activate",
    "POST /onboardings/{onboarding_id}/activate": "users:activate",
    "GET /onboardings/{onboarding_id}/contact": "contacts:amend",
    "POST /onboardings/{onboarding_id}/contact": "contacts:amend",
    "GET /activations": "users:activate",
    "POST /activations": "users:activate",
    "GET /activations/{round_id}": "users:activate",
    "GET /activations/{round_id}/progress": "users:activate",
    "GET /activations/{round_id}/changes": "users:activate",
    # Checking and registering.
    "GET /signups/{onboarding_id}/withdraw": "signup:withdraw",
    "POST /signups/{onboarding_id}/withdraw": "signup:withdraw",
    "GET /signups/{onboarding_id}/part": "onboardings:read",
    "GET /registrations": "registrations:review",
    "GET /registrations/{onboarding_id}": "registrations:review",
    "GET /registrations/{onboarding_id}/part": "registrations:review",
    "POST /registrations/{onboarding_id}/register": "registrations:review",
    "POST /registrations/{onboarding_id}/decline": "registrations:review",
    "GET /registrations/{onboarding_id}/correct": "registrations:review",
    "POST /registrations/{onboarding_id}/correct": "registrations:review",
    "POST /registrations/{onboarding_id}/administration": "administrations:create",
    # KING's desk: orders, their papers, and results on hold.
    "GET /orders": "orders:read",
    "GET /orders/changes": "orders:read",
    "GET /orders/{reference}": "orders:read",
    "GET /orders/{reference}/standing": "orders:read",
    "GET /orders/{reference}/story": "orders:read",
    "GET /orders/{reference}/changes": "orders:read",
    "GET /orders/{reference}/confirmation.pdf": "orders:read",
    "GET /orders/{reference}/part": "orders:read",
    "GET /orders/{reference}/returned": "orders:confirm",
    "GET /orders/{reference}/scans/{scan_id}": "orders:confirm",
    "POST /orders/{reference}/signature": "orders:confirm",
    "POST /orders/{reference}/signature/withdraw": "orders:confirm",
    "GET /held-results": "orders:confirm",
    "GET /held-results/{result_id}": "orders:confirm",
    "POST /held-results/{result_id}": "orders:confirm",
    # What runs the product.
    "GET /operations": "dead-letters:manage",
    "GET /operations/{service}": "dead-letters:manage",
    "GET /operations/{service}/part": "dead-letters:manage",
    "GET /operations/{service}/list": "dead-letters:manage",
    "GET /operations/{service}/changes": "dead-letters:manage",
    "GET /operations/{service}/groups/{group_id}": "dead-letters:manage",
    "GET /operations/{service}/groups/{group_id}/rehearsal": "dead-letters:manage",
    "POST /operations/{service}/groups/{group_id}/retry": "dead-letters:manage",
    "GET /operations/{service}/rounds/{round_id}": "dead-letters:manage",
    "GET /operations/{service}/rounds/{round_id}/progress": "dead-letters:manage",
    "GET /operations/{service}/rounds/{round_id}/changes": "dead-letters:manage",
    "GET /operations/{service}/letters/{letter_id:path}": "dead-letters:manage",
    "GET /operations/{service}/letters/{letter_id:path}/standing": "dead-letters:manage",
    "GET /operations/{service}/letters/{letter_id:path}/changes": "dead-letters:manage",
    "GET /operations/{service}/letters/{letter_id:path}/correct": "dead-letters:manage",
    "GET /operations/{service}/letters/{letter_id:path}/rehearsal": "dead-letters:manage",
    "POST /operations/{service}/letters/{letter_id:path}/retry": "dead-letters:manage",
    "POST /operations/{service}/letters/{letter_id:path}/drop": "dead-letters:manage",
    "POST /operations/{service}/letters/{letter_id:path}/correct": "dead-letters:manage",
    "POST /operations/{service}/letters/{letter_id:path}/care": "dead-letters:manage",
    # Stylesheet and scripts.
    "GET /static/{name}": ANYBODY,
    "GET /static/color/{name}.css": ANYBODY,
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    apps: list[FastAPI] = []
    create_app = shared.web.app.create_app

    def kept(*args: Any, **options: Any) -> FastAPI:
        apps.append(create_app(*args, **options))
        return apps[-1]

    folder = tmp_path_factory.mktemp("roles")
    settings = Settings(data_dir=folder, http_port=0, log_level="error")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared.web.app, "create_app", kept)
        with one_process(settings, simulate_king=False) as stage:
            stage.open_office("0077", email="kantoor@zuid.example")
            world = World(stage, apps[-1])
            yield world
            world.close()


def test_every_page_has_its_line_in_the_table(world: World) -> None:
    # Given the pages that the application has, and those that the table names,
    present = set(world.pages())
    # Then none is forgotten, and none is named that is no more.
    assert present - PAGES.keys() == set()
    assert PAGES.keys() - present == set()


def is_sent_to_sign_in(answer: httpx.Response) -> bool:
    """Whether a page was answered by the way to sign in, or a form by the same with its fields."""
    to = answer.headers.get("location", "")
    is_form = answer.is_stream_consumed and 'action="/staff/pass' in answer.text
    return to.startswith("/staff/pass") or is_form


@pytest.mark.parametrize("page", PAGES)
def test_everybody_sees_exactly_what_is_theirs(world: World, page: str) -> None:
    wrong = [problem for one in EVERYBODY for problem in _problems(world, one, page)]
    assert wrong == []


def _problems(world: World, somebody: Somebody, page: str) -> Iterator[str]:
    """What is otherwise than the table says, of one page for one person."""
    access, is_open = PAGES[page], PAGES[page] in (ANYBODY, HOLDER)
    if not is_open and page.startswith("POST") and _is_allowed(somebody, page):
        return  # It would be done; that is for the tests of that page.
    answer = world.ask(somebody, page)
    told = f"{somebody}: {answer.status_code} for {page}"
    if access == HOLDER and answer.status_code != 404:
        yield f"{told}, whose link is made up"
    elif access == ANYBODY and _is_kept_out(answer) and not page.endswith(" /staff/pass"):
        yield f"{told}, which is for anybody"
    elif not is_open:
        yield from _against_the_table(world, somebody, page, answer, told)


def _against_the_table(
    world: World, somebody: Somebody, page: str, answer: httpx.Response, told: str
) -> Iterator[str]:
    if somebody == NOBODY:
        if not is_sent_to_sign_in(answer) and page not in FRONT_PAGE:
            yield f"{told}, and not sent to sign in"
    elif not somebody.may(PAGES[page]):
        if answer.status_code != 403:
            yield f"{told}, whose role does not allow it"
    elif _is_of_another_office(somebody, page):
        none = world.ask(somebody, page, known=False).status_code
        if answer.status_code != none or none < 400:
            yield f"{told}, which is another office's; where nothing is it says {none}"
    elif _is_kept_out(answer) or (answer.status_code == 404 and not _is_made_up(page)):
        yield f"{told}, which is theirs"


FRONT_PAGE = frozenset({"GET /"})
"""On the embedded default it shows strangers the doors that they may try."""


def _is_made_up(page: str) -> bool:
    return any(f"{{{name}" in page for name in MADE_UP)


def _is_allowed(somebody: Somebody, page: str) -> bool:
    return somebody.may(PAGES[page]) and not _is_of_another_office(somebody, page)


def _is_of_another_office(somebody: Somebody, page: str) -> bool:
    is_owned = any(f"{{{name}}}" in page for name in OWNED)
    return somebody.office == ANOTHER_OFFICE and is_owned


def _is_kept_out(answer: httpx.Response) -> bool:
    return (
        answer.status_code in (401, 403) or answer.status_code >= 500 or is_sent_to_sign_in(answer)
    )
