"""Signed in and out: how long it lasts, what ends it, and what a kept cookie is worth then."""

from pathlib import Path

import pytest

from services.activation.staff.sessions import StaffMember
from tests.integration.pages.signin.conftest import ANNA, Browser, House, make_house, words

KING = StaffMember("K. Voorbeeld", "king", None)


def test_a_link_shows_whose_it_is_and_only_its_button_signs_in(
    house: House, browser: Browser
) -> None:
    # Given a link that a mail program has opened before its owner does,
    link = house.link()
    scanner = house.browser()
    assert scanner.get(link).status_code == 200
    # When she opens it herself and presses the button,
    shown, pressed = browser.get(link), browser.post(link)
    # Then the page named her and was sent on to nobody, and she is in, under her own name.
    assert "Aanmelden als Anna van Voorbeeld" in words(shown)
    assert "0042" in words(shown)
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert (pressed.status_code, pressed.headers["location"]) == (303, "/")
    assert browser.is_in()
    assert not scanner.is_in()
    assert house.acts() == [("staff.sign_in", "Anna van Voorbeeld", "0042")]


def test_a_link_signs_in_once(house: House, browser: Browser) -> None:
    link = house.link()
    assert browser.post(link).status_code == 303
    # When somebody else comes with it, Then they are told that it was used, and what to do.
    thief = house.browser()
    for answer in (thief.get(link), thief.post(link)):
        assert answer.status_code == 410
        assert "al één keer mee aangemeld" in words(answer)
        assert "stappenplan staff link" in words(answer)
    assert not thief.is_in()


def test_a_link_is_good_for_a_quarter_of_an_hour(house: House, browser: Browser) -> None:
    link = house.link()
    house.pass_time(minutes=15)
    answer = browser.post(link)
    assert answer.status_code == 410
    assert "dat is voorbij" in words(answer)
    assert not browser.is_in()


def test_a_link_that_was_changed_is_none(house: House, browser: Browser) -> None:
    link = house.link()
    changed = f"{link[:-1]}{'A' if link[-1] != 'A' else 'B'}"
    assert browser.get(changed).status_code == 404
    assert browser.post(changed).status_code == 404


def test_a_session_is_a_new_one_whatever_the_browser_had_before(
    house: House, browser: Browser
) -> None:
    # Given a browser into which somebody put a session of theirs,
    attacker = house.browser()
    house.sign_in(attacker, KING)
    planted = attacker.cookie("session")
    assert planted is not None
    browser.keep("session", planted)
    # When Anna signs in with it,
    house.sign_in(browser, ANNA)
    # Then she has another, and the one that was planted lets nobody in any more.
    assert browser.cookie("session") != planted
    assert browser.get("/staff-alone").text == ANNA.name
    assert not attacker.is_in()
    # Nor is a made-up one of any worth.
    stranger = house.browser()
    stranger.keep("session", "chosen-by-an-attacker")
    assert stranger.get("/staff/pass?next=/orders").headers["location"].startswith("/staff/sign-in")


def test_the_pass_is_renewed_and_leads_back_to_where_one_was(
    house: House, browser: Browser
) -> None:
    house.sign_in(browser)
    # Given that her pass is over,
    browser.forget("pass")
    asked = browser.get("/staff-alone?q=a%26b")
    assert asked.headers["location"] == "/staff/pass?next=%2Fstaff-alone%3Fq%3Da%2526b"
    # When she follows, Then she is back, with another.
    back = browser.get(asked.headers["location"])
    assert back.headers["location"] == "/staff-alone?q=a%26b"
    assert browser.is_in()


@pytest.mark.parametrize("next_path", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_nobody_is_led_to_another_site(house: House, browser: Browser, next_path: str) -> None:
    house.sign_in(browser)
    assert browser.get(f"/staff/pass?next={next_path}").headers["location"] == "/"
    assert 'action="/"' in browser.post(f"/staff/pass?next={next_path}", reason="x").text


def test_a_page_that_is_open_has_its_pass_renewed(house: House, browser: Browser) -> None:
    house.sign_in(browser)
    before = browser.cookie("pass")
    house.pass_time(minutes=4)
    answer = browser.get("/staff/pass", **{"HX-Request": "true"})
    assert answer.status_code == 204
    assert browser.cookie("pass") not in (None, before)


def test_a_part_of_a_page_comes_after_its_pass_is_renewed_and_no_sign_in_in_its_place(
    house: House, browser: Browser
) -> None:
    house.sign_in(browser)
    by_itself = {"HX-Request": "true"}
    part = browser.get("/staff/pass?next=/onboardings/list", **by_itself)
    assert (part.status_code, part.headers["location"]) == (303, "/onboardings/list")
    browser.post("/staff/sign-out")
    assert browser.get("/staff/pass?next=/onboardings/list", **by_itself).status_code == 204


def test_a_form_is_handed_back_once_the_pass_is_renewed(house: House, browser: Browser) -> None:
    house.sign_in(browser)
    answer = browser.post("/staff/pass?next=/orders/O-1", reason='te "laat"', form_key="")
    assert answer.status_code == 400
    answer = browser.post("/staff/pass?next=/orders/O-1", reason='te "laat"')
    assert 'action="/orders/O-1"' in answer.text
    assert 'name="reason" value="te &#34;laat&#34;"' in answer.text
    assert 'name="form_key"' in answer.text


def test_a_form_outlives_a_session_that_ended(house: House, browser: Browser) -> None:
    # Given somebody who came back to a half-typed form after an hour and a quarter,
    house.sign_in(browser)
    house.pass_time(minutes=75)
    # When they send it, Then it stays on their screen while they sign in in another window,
    answer = browser.post("/staff/pass?next=/orders/O-1", reason="te laat")
    assert 'name="reason" value="te laat"' in answer.text
    assert 'action="/staff/pass?next=%2Forders%2FO-1"' in answer.text
    assert 'href="/staff/sign-in" target="_blank"' in answer.text
    # and goes on from there.
    house.sign_in(browser)
    assert 'action="/orders/O-1"' in browser.post("/staff/pass?next=/orders/O-1", reason="x").text


def test_an_hour_without_anybody_ends_it_although_a_page_is_open(
    house: House, browser: Browser
) -> None:
    house.sign_in(browser)
    # Given a page that renews its pass by itself,
    for _ in range(14):
        house.pass_time(minutes=4)
        browser.get("/staff/pass", **{"HX-Request": "true"})
        assert browser.is_in()
    # When nobody has been there for an hour,
    house.pass_time(minutes=5)
    answer = browser.get("/staff/pass", **{"HX-Request": "true"})
    # Then it is over.
    assert answer.status_code == 204
    assert not browser.cookie("pass")
    assert browser.get("/staff/pass?next=/orders").headers["location"] == (
        "/staff/sign-in?next=%2Forders"
    )


def test_whoever_works_stays_signed_in_for_twelve_hours_at_most(
    house: House, browser: Browser
) -> None:
    house.sign_in(browser)
    for _ in range(23):
        house.pass_time(minutes=31)
        assert browser.get("/staff/pass?next=/orders").headers["location"] == "/orders"
    house.pass_time(minutes=8)
    assert browser.get("/staff/pass?next=/orders").headers["location"].startswith("/staff/sign-in")


def test_what_one_does_at_another_service_counts_as_being_there(
    house: House, browser: Browser
) -> None:
    # Given a clerk who has worked on pages of another service for two hours,
    house.sign_in(browser)
    for _ in range(30):
        house.pass_time(minutes=4)
        browser.keep("seen", str(int(house.practice.now.timestamp())))
        browser.get("/staff/pass", **{"HX-Request": "true"})
    # Then they are still signed in.
    assert browser.is_in()


@pytest.mark.parametrize("made_up", ["soon", "-1", "99999999999", "1" * 400])
def test_a_made_up_moment_keeps_nobody_signed_in_for_longer(
    house: House, browser: Browser, made_up: str
) -> None:
    house.sign_in(browser)
    browser.keep("seen", made_up)
    house.pass_time(hours=12)
    assert browser.get("/staff/pass?next=/orders").headers["location"].startswith("/staff/sign-in")


def test_what_was_kept_of_a_session_is_worth_nothing_after_the_log_out(
    house: House, browser: Browser
) -> None:
    # Given somebody who has copied all that the browser keeps,
    house.sign_in(browser)
    thief = house.browser()
    for name in ("session", "pass"):
        thief.keep(name, browser.cookie(name) or "")
    assert thief.is_in()
    # When its owner signs out,
    answer = browser.post("/staff/sign-out")
    # Then she is told so, her browser keeps nothing, and she and the thief are out at once.
    assert answer.headers["location"] == "/staff/sign-in?done=signed-out"
    assert "U bent afgemeld" in words(browser.get(answer.headers["location"]))
    assert not browser.cookie("session")
    assert not browser.cookie("pass")
    assert not browser.is_in()
    assert not thief.is_in()
    assert thief.get("/staff/pass?next=/").headers["location"] == "/staff/sign-in"
    assert [what for what, _, _ in house.acts()] == ["staff.sign_in", "staff.sign_out"]


def test_signing_out_needs_our_own_form(house: House, browser: Browser) -> None:
    house.sign_in(browser)
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert browser.client.post("/staff/sign-out", headers=elsewhere).status_code == 403
    assert browser.is_in()


def test_elsewhere_the_pass_alone_counts_until_it_ends(house: House, browser: Browser) -> None:
    # Given a process that does not keep the sessions,
    house.sign_in(browser)
    kept = browser.cookie("pass") or ""
    browser.post("/staff/sign-out")
    house.site.session_is_open = None
    # Then there the pass holds for what is left of its five minutes.
    browser.keep("pass", kept)
    assert browser.is_in()


def test_cookies_are_for_this_host_alone_and_for_no_script(tmp_path: Path) -> None:
    house = make_house(tmp_path, public_url="https://stappenplan.example")
    try:
        answer = house.browser().post(house.link())
        cookies = answer.headers.get_list("set-cookie")
        assert sorted(cookie.partition("=")[0] for cookie in cookies) == [
            "__Host-pass",
            "__Host-session",
        ]
        for cookie in cookies:
            for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
                assert part in cookie
            assert "Domain" not in cookie
    finally:
        house.close()
