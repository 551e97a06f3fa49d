"""Signing in with one's own organisation, and what a lie of it, or about it, comes to."""

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from structlog.testing import capture_logs

from tests.integration.pages.signin.conftest import Browser, House, words
from tests.integration.pages.signin.provider import Claims, OpenIdProvider

ACTIVATOR = {"stappenplan_role": "activator", "stappenplan_office": "0042", "name": "Anna"}


def leave(browser: Browser, next_path: str = "/") -> str:
    """Press the button; the address at the provider that the page leads to."""
    answer = browser.post("/staff/sign-in", next=next_path)
    assert answer.status_code == 200, words(answer)
    (address,) = re.findall(r'content="0; url=([^"]+)"', answer.text)
    return unescape(address)


def come_back(browser: Browser, answer: dict[str, str]) -> httpx.Response:
    return browser.get(f"/staff/callback?{urlencode(answer)}")


def sign_in(browser: Browser, provider: OpenIdProvider, **claims: Any) -> httpx.Response:
    """All the way there and back."""
    return come_back(browser, provider.approve(leave(browser), **(ACTIVATOR | claims)))


def test_whoever_the_organisation_knows_is_in_and_where_they_wanted_to_be(
    joined: House, provider: OpenIdProvider
) -> None:
    # Given somebody who was sent to sign in on their way to a page,
    browser = joined.browser()
    path = browser.get("/staff/pass?next=/onboardings%3Fq%3Da").headers["location"]
    page = browser.get(path)
    assert "Aanmelden met uw organisatie" in words(page)
    assert 'name="next" value="/onboardings?q=a"' in page.text
    # When they sign in at their organisation,
    back = provider.approve(leave(browser, "/onboardings?q=a"), **ACTIVATOR)
    answer = come_back(browser, back)
    # Then they are on that page, by the name, role and office that it told.
    assert (answer.status_code, answer.headers["location"]) == (303, "/onboardings?q=a")
    assert browser.get("/staff-alone").text == "Anna"
    assert joined.acts() == [("staff.sign_in", "Anna", "0042")]


def test_a_role_may_stand_among_others_and_king_has_no_office(
    joined: House, provider: OpenIdProvider
) -> None:
    browser = joined.browser()
    roles = {"stappenplan_role": ["uma_authorization", "king"], "stappenplan_office": None}
    assert sign_in(browser, provider, **roles).status_code == 303
    assert joined.acts() == [("staff.sign_in", "Anna", None)]


def change(**changes: Any) -> Callable[[Claims], None]:
    return lambda claims: claims.update(changes)


def drop(name: str) -> Callable[[Claims], None]:
    def without(claims: Claims) -> None:
        del claims[name]

    return without


@pytest.mark.parametrize(
    "lie",
    [
        change(nonce="another"),
        drop("nonce"),
        change(aud="another-client"),
        change(aud="another-client", azp="stappenplan"),
        change(aud=["another-client", "stappenplan"]),
        drop("aud"),
        change(azp="another-client"),
        change(iss="https://login.example"),
        drop("iss"),
        change(exp=1_000_000_000),
        drop("exp"),
        change(iat=4_000_000_000),
        drop("sub"),
    ],
)
def test_what_is_not_about_this_sign_in_lets_nobody_in(
    joined: House, provider: OpenIdProvider, lie: Callable[[Claims], None]
) -> None:
    browser = joined.browser()
    provider.change = lie
    with capture_logs() as lines:
        answer = sign_in(browser, provider)
    assert answer.status_code == 403
    assert "kon niet worden vertrouwd" in words(answer)
    assert not browser.is_in()
    assert joined.acts() == []
    assert "sign_in_not_verified" in [line["event"] for line in lines]


@pytest.mark.parametrize("spoiled", ["none", "another key"])
def test_what_the_provider_has_not_signed_lets_nobody_in(
    joined: House, provider: OpenIdProvider, spoiled: str
) -> None:
    browser = joined.browser()
    if spoiled == "none":
        provider.algorithm = "none"
    else:
        provider.signs_with_another_key = True
    assert sign_in(browser, provider).status_code == 403
    assert not browser.is_in()


def test_an_answer_is_taken_once(joined: House, provider: OpenIdProvider) -> None:
    # Given an answer that somebody has signed in with,
    browser = joined.browser()
    kept = leave(browser)
    browser_cookie = browser.cookie("sign-in") or ""
    answer = provider.approve(kept, **ACTIVATOR)
    assert come_back(browser, answer).status_code == 303
    browser.post("/staff/sign-out")
    # When it comes again, even with the cookie of then, Then it is refused.
    browser.keep("sign-in", browser_cookie)
    again = come_back(browser, answer)
    assert again.status_code == 400
    assert "al gebruikt" in words(again)
    assert not browser.is_in()


def test_an_answer_is_of_use_in_the_browser_alone_that_asked(
    joined: House, provider: OpenIdProvider
) -> None:
    # Given somebody who has a stranger's answer opened in their browser,
    attacker, victim = joined.browser(), joined.browser()
    answer = provider.approve(leave(attacker), **ACTIVATOR)
    # When it has begun nothing, or something else, Then nobody is signed in as the stranger.
    assert come_back(victim, answer).status_code == 400
    leave(victim)
    assert come_back(victim, answer).status_code == 400
    assert not victim.is_in()
    # And whose it was can still use it.
    assert come_back(attacker, answer).status_code == 303


def test_an_answer_that_comes_late_is_refused(joined: House, provider: OpenIdProvider) -> None:
    browser = joined.browser()
    address = leave(browser)
    kept = browser.cookie("sign-in") or ""
    joined.pass_time(minutes=10)
    browser.keep("sign-in", kept)
    answer = come_back(browser, provider.approve(address, **ACTIVATOR))
    assert answer.status_code == 400
    assert "verlopen" in words(answer)


def test_a_code_of_somebody_else_is_refused_by_the_provider(
    joined: House, provider: OpenIdProvider
) -> None:
    # Given the code of another's sign-in,
    stolen = provider.approve(leave(joined.browser()), **ACTIVATOR)
    # When it is put into one's own, Then PKCE does not fit.
    browser = joined.browser()
    own = provider.approve(leave(browser), **ACTIVATOR)
    answer = come_back(browser, {"state": own["state"], "code": stolen["code"]})
    assert answer.status_code == 403
    assert not browser.is_in()


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"stappenplan_role": "boss"}, "geen rol"),
        ({"stappenplan_role": None}, "geen rol"),
        ({"stappenplan_role": ["king", "operator"]}, "geen rol"),
        ({"stappenplan_role": {"king": True}}, "geen rol"),
        ({"stappenplan_office": None}, "geen kantoor"),
        ({"stappenplan_office": ["0042", "0077"]}, "geen kantoor"),
        ({"stappenplan_role": "king"}, "geen kantoor"),
        ({"stappenplan_office": "0" * 36}, "geen kantoor"),
    ],
)
def test_whoever_has_no_clear_role_and_office_is_told_so(
    joined: House, provider: OpenIdProvider, claims: Claims, said: str
) -> None:
    browser = joined.browser()
    answer = sign_in(browser, provider, **claims)
    assert answer.status_code == 403
    assert said in words(answer)
    assert not browser.is_in()


def test_a_name_that_cannot_be_shown_gives_way_to_the_next(
    joined: House, provider: OpenIdProvider
) -> None:
    browser = joined.browser()
    hidden = {"name": "Anna\u202e", "preferred_username": "", "email": "anna@kantoor.example"}
    assert sign_in(browser, provider, **hidden).status_code == 303
    assert browser.get("/staff-alone").text == "anna@kantoor.example"


def test_whoever_refuses_there_is_told_so_here(joined: House, provider: OpenIdProvider) -> None:
    browser = joined.browser()
    state = provider.approve(leave(browser))["state"]
    answer = come_back(browser, {"state": state, "error": "access_denied"})
    assert answer.status_code == 403
    assert "afgebroken of geweigerd" in words(answer)


def test_an_organisation_that_is_away_is_said_to_be(
    joined: House, provider: OpenIdProvider
) -> None:
    # Given a provider that goes away while somebody signs in there,
    browser = joined.browser()
    answer = provider.approve(leave(browser), **ACTIVATOR)
    provider.is_away = True
    # When they come back, or begin, Then they read that it is away.
    for page in (come_back(browser, answer), browser.post("/staff/sign-in")):
        assert page.status_code == 503
        assert "even niet bereikbaar" in words(page)
    provider.close()
    assert browser.post("/staff/sign-in").status_code == 503
    assert not browser.is_in()


@pytest.mark.parametrize(
    "configuration",
    [
        {"issuer": "https://another.example"},
        {"authorization_endpoint": "http://login.example/authorize"},
        {"token_endpoint": "http://login.example/token"},
        {"jwks_uri": None},
    ],
)
def test_a_configuration_that_is_not_safe_is_not_used(
    joined: House, provider: OpenIdProvider, configuration: Claims
) -> None:
    provider.configuration = configuration
    assert joined.browser().post("/staff/sign-in").status_code == 503


@pytest.mark.parametrize("next_path", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_nobody_is_sent_on_to_another_site(
    joined: House, provider: OpenIdProvider, next_path: str
) -> None:
    browser = joined.browser()
    answer = come_back(browser, provider.approve(leave(browser, next_path), **ACTIVATOR))
    assert answer.headers["location"] == "/"


def test_without_a_provider_there_is_the_link_alone(house: House, browser: Browser) -> None:
    page = browser.get("/staff/sign-in")
    assert "Aanmelden met uw organisatie" not in words(page)
    assert "stappenplan staff link" in words(page)
    assert browser.post("/staff/sign-in").status_code == 404
    assert browser.get("/staff/callback?state=a&code=b").status_code == 404


def test_what_is_kept_of_a_sign_in_is_gone_when_it_is_over(
    joined: House, provider: OpenIdProvider, tmp_path: Path
) -> None:
    # Given sign-ins that were begun and never ended,
    for _ in range(3):
        leave(joined.browser())
    joined.pass_time(minutes=11)
    # When somebody begins another, Then nothing is left of those.
    leave(joined.browser())
    with joined.runtime.reading() as session:
        from sqlmodel import select

        from services.activation.staff.attempts import StaffAttempt

        assert len(session.exec(select(StaffAttempt)).all()) == 1
