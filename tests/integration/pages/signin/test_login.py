"""The customer's log-in as they meet it: from their office's message to a password of their own."""

from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from services.activation.login.door import Door
from services.activation.login.forgotten import GOOD_FOR
from services.activation.login.limits import Limit, Limits
from tests.integration.activation.conftest import ACTIVATE, PASSWORD, RESEND
from tests.integration.pages.signin.conftest import Browser, House, make_house, words
from tests.servers.premises import wait_until
from tests.unit.activation.harness import WAY

GOOD = "vier paarden drinken thee"
OVER = "abcd-efgh-jkmn-pqrs"
"""It looks like one that was sent."""


@pytest.fixture
def sent(house: House) -> tuple[str, str]:
    """Login name and password, as the customer was sent them."""
    house.practice.hear(*WAY)
    house.practice.deliver()
    house.practice.ask(ACTIVATE)
    return house.practice.credentials()


class Inputs(HTMLParser):
    """The fields of a page, by their names."""

    def __init__(self, page: httpx.Response) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str | None]] = {}
        self.feed(page.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "input" and attributes.get("name"):
            self.found[str(attributes["name"])] = attributes


def log_in(browser: Browser, name: str, password: str) -> httpx.Response:
    return browser.post("/login", login_name=name, password=password)


def choose(browser: Browser, new: str, **fields: str) -> httpx.Response:
    return browser.post("/password", new_password=new, new_password_again=new, **fields)


def test_a_customer_logs_in_with_what_was_sent_and_chooses_their_own(
    house: House, browser: Browser, sent: tuple[str, str]
) -> None:
    name, password = sent
    # When they type what they were sent, in their own way,
    answer = log_in(browser, f" {name.upper()} ", password.replace("-", " – ").upper() + "\n")
    # Then they choose a password at once, and need not type the other again,
    assert answer.headers["location"] == "/password?done=in"
    page = browser.get("/password?done=in")
    assert "Kies uw eigen wachtwoord" in words(page)
    assert "current_password" not in Inputs(page).found
    assert password not in page.text
    # and are in, with where to go from here.
    answer = choose(browser, GOOD)
    assert answer.headers["location"] == "/login?done=chosen"
    page = browser.get("/login?done=chosen")
    assert "U bent ingelogd" in words(page)
    assert "Bakkerij Voorbeeld" in words(page)
    assert "Kantoor Voorbeeld" in words(page)
    # From then on their own lets them in, and what was sent does not.
    assert log_in(house.browser(), name, password).status_code == 422
    assert log_in(house.browser(), name, GOOD).headers["location"] == "/login?done=in"
    assert house.practice.customer().first_login_at is not None


def test_a_customer_reads_their_own_language(
    house: House, browser: Browser, sent: tuple[str, str]
) -> None:
    page = browser.get("/login", **{"Accept-Language": "en-GB"})
    assert "Login name" in words(page)
    answer = browser.client.post(
        "/login?lang=en",
        data={"form_key": "8f8f9f6e-8f0f-4b53-9d6c-2e8a2f4c9b11", "login_name": "nobody"},
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert "Type your password." in words(answer)


def test_password_managers_know_each_field(house: House, browser: Browser) -> None:
    login, password = Inputs(browser.get("/login")).found, Inputs(browser.get("/password")).found
    asked = {name: field.get("autocomplete") for name, field in (login | password).items()}
    assert asked == {
        "form_key": None,
        "login_name": "username",
        "password": "current-password",
        "current_password": "current-password",
        "new_password": "new-password",
        "new_password_again": "new-password",
    }


def test_unknown_names_and_wrong_passwords_look_alike(
    house: House, browser: Browser, sent: tuple[str, str]
) -> None:
    name, _ = sent
    known = log_in(browser, name, "verkeerd wachtwoord")
    unknown = log_in(browser, "niemand.hier", "verkeerd wachtwoord")
    assert known.status_code == unknown.status_code == 422
    assert words(known) == words(unknown)
    assert "Loginnaam of wachtwoord klopt niet" in words(known)
    # What was typed stays, but for the password.
    fields = Inputs(known).found
    assert fields["login_name"]["value"] == name
    assert fields["password"]["value"] == ""


def test_what_has_expired_leads_to_another(
    house: House, browser: Browser, sent: tuple[str, str]
) -> None:
    # Given a customer who types what was sent when it has expired,
    name, password = sent
    house.pass_time(hours=72)
    answer = log_in(browser, name, password)
    # Then they read for how long it works, and ask for another,
    assert "72 uur" in words(answer)
    assert 'href="/password/forgotten"' in answer.text
    asked = browser.post("/password/forgotten", login_name=name)
    assert asked.headers["location"] == "/password/forgotten?done=sent"
    wait_until(lambda: house.practice.deliver() == ["password_forgotten"], "it is mailed")
    # which lets them in.
    fresh = house.practice.post.sent[-1].text
    (password,) = PASSWORD.findall(fresh)
    assert log_in(browser, name, password).headers["location"] == "/password?done=in"
    hours = int(GOOD_FOR.total_seconds() // 3600)
    assert f"Het werkt {hours} uur." in words(browser.get("/password/forgotten?done=sent"))


def test_whoever_forgets_is_told_the_same_whoever_they_are(house: House, browser: Browser) -> None:
    answer = browser.post("/password/forgotten", login_name="niemand.hier")
    assert answer.headers["location"] == "/password/forgotten?done=sent"
    assert "Bestaat deze loginnaam" in words(browser.get(answer.headers["location"]))


def test_a_lock_says_until_when(house: House, browser: Browser, sent: tuple[str, str]) -> None:
    name, password = sent
    for _ in range(5):
        log_in(browser, name, "verkeerd wachtwoord")
    answer = log_in(browser, name, password)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) <= 15 * 60 + 1
    assert "te vaak een verkeerd wachtwoord" in words(answer)
    assert " om " in words(answer)
    # And it does so after the quarter of an hour no more.
    house.pass_time(minutes=16)
    assert log_in(browser, name, password).status_code == 303


def test_programs_and_people_are_counted_together(house: House, browser: Browser) -> None:
    # Given an address that has used up its tries over the API,
    house.runtime.resource(Door)._limits = Limits(addresses=Limit(2))
    for number in range(2):
        body = {"login_name": f"niemand{number}", "password": "verkeerd"}
        assert house.api().post("/api/login", json=body).status_code == 401
    # Then it has none left on the page.
    assert log_in(browser, "iemand.anders", "verkeerd").status_code == 429


@pytest.mark.parametrize(
    ("weak", "said"),
    [
        ("kort", "minstens 12 tekens"),
        ("wachtwoord123456", "te makkelijk te raden"),
        ("bakkerij voorbeeld", "te makkelijk te raden"),
        ("vier paarden\x07 drinken", "onzichtbare tekens"),
    ],
)
def test_a_password_that_can_be_guessed_is_refused_beside_its_field(
    house: House, browser: Browser, sent: tuple[str, str], weak: str, said: str
) -> None:
    log_in(browser, *sent)
    answer = choose(browser, weak)
    assert answer.status_code == 422
    assert said in words(answer)
    assert 'href="#field-new_password"' in answer.text
    # The form stands as it was, and a better one does.
    assert choose(browser, GOOD).status_code == 303


def test_the_password_that_was_sent_does_not_become_the_long_term_one(
    house: House, browser: Browser, sent: tuple[str, str]
) -> None:
    log_in(browser, *sent)
    answer = choose(browser, sent[1].upper())
    assert "Kies een ander wachtwoord dan het huidige." in words(answer)


def test_a_slip_of_the_finger_is_noticed(
    house: House, browser: Browser, sent: tuple[str, str]
) -> None:
    log_in(browser, *sent)
    answer = browser.post("/password", new_password=GOOD, new_password_again=GOOD + "e")
    assert "niet gelijk" in words(answer)
    assert house.practice.customer().own_hash is None


def test_a_choice_is_worth_nothing_once_their_passwords_are_others(
    house: House, browser: Browser, sent: tuple[str, str]
) -> None:
    # Given somebody who logged in with a password that was sent to the wrong address,
    log_in(browser, *sent)
    # When the office has another sent, Then they choose none.
    house.practice.ask(RESEND)
    house.practice.credentials()
    answer = choose(browser, GOOD)
    assert answer.status_code == 422
    assert "Log opnieuw in" in words(answer)
    assert house.practice.customer().own_hash is None


def test_a_choice_is_made_once_and_within_a_quarter_of_an_hour(
    house: House, browser: Browser, sent: tuple[str, str]
) -> None:
    log_in(browser, *sent)
    kept = browser.cookie("visit") or ""
    # When the browser that somebody left shows the page again later,
    house.pass_time(minutes=16)
    assert "Wachtwoord wijzigen" in words(browser.get("/password"))
    # or what it kept is used again after the choice, Then the present password is asked for.
    log_in(browser, *sent)
    choose(browser, GOOD)
    browser.keep("visit", kept)
    assert choose(browser, "vijf ezels eten haver").status_code == 422
    log_in(browser, sent[0], GOOD)
    page = browser.get("/password")
    assert "current_password" in Inputs(page).found


def test_whoever_knows_their_password_changes_it(
    house: House, browser: Browser, sent: tuple[str, str]
) -> None:
    name, password = sent
    wrong = choose(browser, GOOD, login_name=name, current_password="verkeerd wachtwoord")
    assert wrong.status_code == 422
    right = choose(browser, GOOD, login_name=name, current_password=password)
    assert right.headers["location"] == "/login?done=changed"
    assert "Log nu in met uw nieuwe wachtwoord" in words(browser.get("/login?done=changed"))
    assert log_in(browser, name, GOOD).status_code == 303


def test_nobody_is_shown_as_logged_in_who_is_not(house: House, browser: Browser) -> None:
    assert "Inloggen" in words(browser.get("/login?done=in"))
    assert "U bent ingelogd" not in words(browser.get("/login?done=in"))


def test_a_blank_form_says_what_to_type(house: House, browser: Browser) -> None:
    answer = log_in(browser, " ", "")
    assert answer.status_code == 422
    assert "Vul uw loginnaam in." in words(answer)
    assert "Vul uw wachtwoord in." in words(answer)
    odd = log_in(browser, "x" * 65, "y" * 257)
    assert "Dit kan geen loginnaam zijn" in words(odd)
    assert "te lang" in words(odd)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", ""),
        ("vier", "minstens 12 tekens"),
        ("wachtwoord123456", "te makkelijk te raden"),
        (GOOD, "Dit wachtwoord is zeer sterk."),
    ],
)
def test_the_strength_is_shown_as_one_types(
    house: House, browser: Browser, typed: str, said: str
) -> None:
    answer = browser.post("/password/strength", new_password=typed)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert said in words(answer) if said else not words(answer)
    assert browser.get(f"/password/strength?new_password={typed}").status_code in (404, 405)


def test_a_password_that_works_for_one_hour_is_said_to_work_for_one_hour(tmp_path: Path) -> None:
    # Given an office whose passwords work for an hour
    house = make_house(tmp_path, credentials_hours=1)
    with closing(house):
        browser = house.browser()
        # When somebody tries one that is none any more, Then they read for how long it worked.
        assert "en 1 uur lang" in words(log_in(browser, "klant", OVER))
        answer = browser.post("/login?lang=en", login_name="klant", password=OVER)
        assert "and for one hour." in words(answer)
