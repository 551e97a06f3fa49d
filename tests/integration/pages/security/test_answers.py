"""What every answer says to the browser beside its contents, and what is said to no log."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from shared.host.settings import Settings
from shared.links import Purpose
from shared.web.pages import live
from tests.e2e.stage import one_process
from tests.integration.pages.security.everything import OWN_FORM, Everything, PageOf
from tests.servers.premises import wait_until
from tests.visitors import staff_visitor

WORD = "zoekwoordzq9"
PASSWORD = "wachtwoord-zq9"


def wrong_headers(page: PageOf, answer: httpx.Response) -> Iterator[str]:
    """What an answer does not say that every page says."""
    told = answer.headers
    policy = told.get("content-security-policy", "")
    if "frame-ancestors 'none'" not in policy and page.path != "/mailbox/{name}/html":
        yield "it may be framed"
    if page.path.startswith("/mailbox/{name}/"):
        if "sandbox" not in policy and "default-src 'none'" not in policy:
            yield "somebody else's page may do what it likes"
    elif "default-src 'none'" not in policy or "unsafe" in policy:
        yield "scripts of others may run"
    if told.get("x-content-type-options") != "nosniff":
        yield "the browser guesses what it is"
    if "{token}" in page.path and told.get("referrer-policy") != "no-referrer":
        yield "its token is told to the next site"
    if not page.path.startswith("/static/"):
        if told.get("cache-control") not in ("no-store", "no-cache"):
            yield "it is kept"
        if told.get("cache-control") == "no-cache" and "event-stream" not in told["content-type"]:
            yield "it is kept"
    for cookie in answer.headers.get_list("set-cookie"):
        if "HttpOnly" not in cookie or "samesite=lax" not in cookie.lower():
            yield f"a script or another site has the cookie {cookie.partition('=')[0]}"


def test_every_page_and_refusal_says_what_a_browser_may_do_with_it(everything: Everything) -> None:
    wrong = set()
    for page in everything.pages("GET", "POST"):
        form: dict[str, Any] = {"headers": OWN_FORM} if page.method == "POST" else {}
        made_up = PageOf(page.method, page.path, page.path.replace("{", "-").replace("}", "-"))
        for asked in (page, made_up):
            for visitor in (everything.who_may(page), everything.somebody):
                answer = everything.open(visitor, asked, **form)
                wrong |= {
                    f"{page} ({answer.status_code}): {one}" for one in wrong_headers(page, answer)
                }
    assert sorted(wrong) == []


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/nothing", "/api/offices", "/healthz"])
def test_what_is_no_page_is_framed_by_nobody(everything: Everything, path: str) -> None:
    answer = everything.somebody.http.get(path)
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_a_download_is_named_by_us_and_runs_nothing(everything: Everything) -> None:
    document = f"/sign/{everything.token(Purpose.SIGN)}/confirmation.pdf"
    told = everything.somebody.http.get(document).headers
    assert told["content-disposition"] == (
        f'attachment; filename="orderbevestiging-{everything.order}.pdf"'
    )


@contextmanager
def everything_logged() -> Iterator[Callable[[], str]]:
    """All that is logged meanwhile, at every level, by us and by what we stand on."""
    lines: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if not record.name.startswith(("httpx", "httpcore")):  # Those are the visitors' own.
                lines.append(record.getMessage())

    handler, root = Handler(logging.DEBUG), logging.getLogger()
    level = root.level
    try:
        root.setLevel(logging.DEBUG)
        root.addHandler(handler)
        with capture_logs() as ours:
            yield lambda: "\n".join([*lines, *map(repr, ours)])
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


def test_no_line_of_any_log_tells_a_token_a_search_word_or_a_person(
    everything: Everything,
) -> None:
    registration = everything.api.ask("GET", f"/api/registrations/{everything.customer}").json()
    customer = registration["customer"]
    secrets = [everything.token(purpose).partition(".")[2] for purpose in Purpose]
    secrets += [WORD, PASSWORD, customer["company"], customer["email"], "NL91ABNA0417164300"]
    fields = dict.fromkeys(("login_name", "email", "reason", "document", "signed_by"), WORD)
    fields |= {"password": PASSWORD, "new_password": PASSWORD, "form_key": "x"}
    # When everybody opens each page with a word that they search for, and fills in each form,
    with everything_logged() as logged:
        for page in everything.pages("GET", "POST"):
            if page.path != "/staff/sign-out":
                asked: Mapping[str, Any] = {"params": {"q": WORD, "next": f"/?q={WORD}"}}
                if page.method == "POST":
                    key = "0d2a2c7e-3f0a-4a51-9c35-0d0f35a9a003"
                    is_done = page.path.startswith("/demo/")
                    form = {**fields, "form_key": "x" if is_done else key}
                    asked = {**asked, "data": form, "headers": OWN_FORM}
                everything.open(everything.who_may(page), page, **asked)
        lines = logged()
    # Then none of that stands in any line.
    assert lines
    told = [line[:300] for line in lines.splitlines() if any(s in line for s in secrets)]
    assert told == []
    assert [secret for secret in secrets if secret in lines] == []


def streams(everything: Everything) -> list[PageOf]:
    return [p for p in everything.pages("GET") if p.path.endswith(("/changes", "/live"))]


def test_a_stream_that_is_refused_is_refused_at_once(everything: Everything) -> None:
    found = streams(everything)
    assert len(found) >= 6
    for page in found:
        if "{" in page.path:
            # Given an address that leads nowhere, When a stream is opened there,
            made_up = PageOf("GET", page.path, page.path.replace("{", "-").replace("}", "-"))
            answers = [everything.open(one, made_up) for one in everything.people]
            # Then it is an answer for everybody, and nobody is left hanging.
            assert all(answer.status_code in (303, 403, 404) for answer in answers), str(page)
            assert any(answer.status_code == 404 for answer in answers), str(page)


def test_when_too_many_pages_are_open_the_next_is_told_to_come_back(
    everything: Everything, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_STREAMS", 0)
    for page in streams(everything):
        answer = everything.open(everything.staff["operator"], page)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "60"), str(page)


def test_places_of_pages_that_were_left_come_free(everything: Everything) -> None:
    visitor = staff_visitor(everything.stage.settings, everything.api.address, "king")
    for _ in range(3):
        with visitor.http.stream("GET", "/onboardings/changes") as answer:
            assert answer.status_code == 200
            assert next(answer.iter_lines())
    wait_until(lambda: live._open.total() == 0, "everybody has left", 10)


def test_a_page_that_is_open_hears_nothing_more_after_the_log_out(everything: Everything) -> None:
    # Given somebody with a list that is open,
    visitor = staff_visitor(everything.stage.settings, everything.api.address, "king")
    with visitor.http.stream("GET", "/onboardings/changes") as answer:
        lines = answer.iter_lines()
        assert next(lines)
        # When they sign out in another window, Then the stream ends by itself.
        visitor.post("/staff/sign-out")
        assert "event: never" not in list(lines)


def test_where_people_come_by_a_public_address_nothing_is_there_to_play_with(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("public"),
        http_port=0,
        log_level="error",
        public_url="https://stappen.example",
    )
    with one_process(settings, simulate_king=False, first_run=True) as stage:
        address = stage.addresses["signup"]
        own = {"Host": "stappen.example", "Accept": "text/html"}
        for path in ("/demo", "/demo/live", "/mailbox", "/mailbox/live", "/mailbox/x.eml"):
            assert httpx.get(f"{address}{path}", headers=own).status_code == 404
        for path in ("/demo/enter/king", "/demo/send", "/demo/break/process", "/demo/payer"):
            form = {"data": {"form_key": "0d2a2c7e-3f0a-4a51-9c35-0d0f35a9a004"}}
            answer = httpx.post(f"{address}{path}", headers=own | OWN_FORM, **form)  # type: ignore[arg-type]
            assert answer.status_code == 404
        front = httpx.get(f"{address}/", headers=own)
        assert front.headers["location"].startswith("/staff/pass")
        # Nor is a page shown under the name of the machine itself.
        assert httpx.get(f"{address}/login").status_code == 421
        # A cookie of ours is of this host alone, and goes over https alone.
        page = httpx.get(f"{address}/login?lang=en", headers=own)
        assert page.headers["set-cookie"].startswith("__Host-language=en")
        assert "Secure" in page.headers["set-cookie"]
