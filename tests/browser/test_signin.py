"""Signing in as staff, and logging in as a customer, in a browser."""

import re
from email import message_from_bytes, policy

import pytest
from playwright.sync_api import Page, expect

from services.activation.staff import links
from services.activation.staff.sessions import StaffMember
from tests.browser.accessible import assert_accessible
from tests.browser.screens import assert_looks_like
from tests.browser.usable import assert_usable
from tests.browser.visitors import Visitors
from tests.e2e.api import Api
from tests.e2e.stage import Stage
from tests.servers.premises import wait_until

PASSWORD = re.compile(r"\b[2-9a-hj-km-np-z]{4}(?:-[2-9a-hj-km-np-z]{4}){3}\b")
GOOD = "vier paarden drinken thee"
ANNA = StaffMember("A. van Voorbeeld", "activator", "0042")


def link_to(stage: Stage, member: StaffMember = ANNA) -> str:
    return links.make(stage.settings.page_links(), member, stage.clock())[0]


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize(
    "path",
    [
        "/login",
        "/password",
        "/password/forgotten",
        "/password/forgotten?done=sent",
        "/staff/sign-in",
    ],
)
def test_a_page_can_be_used_by_everybody(person: Visitors, path: str, language: str) -> None:
    page = person(language=language)
    page.goto(path)
    assert_accessible(page)
    assert_usable(page)
    assert_looks_like(page, f"signin{re.sub('[^a-z]+', '-', path)}-{language}")


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("javascript", [True, False])
def test_a_link_signs_in_and_the_button_in_the_corner_out(
    person: Visitors, stage: Stage, javascript: bool, width: int
) -> None:
    # Given somebody with a link,
    page = person(javascript=javascript, width=width)
    page.goto(link_to(stage))
    assert_accessible(page)
    if javascript:
        assert_looks_like(page, f"signin-link-{width}")
    # When they press its button, Then they are in, by their name,
    page.get_by_role("main").get_by_role("button", name="Aanmelden").click()
    expect(page.get_by_text("A. van Voorbeeld")).to_be_visible()
    # and out again by another.
    page.get_by_role("button", name="Afmelden").click()
    expect(page.get_by_role("heading", name="U bent afgemeld")).to_be_visible()
    assert_accessible(page)
    page.goto("/registrations")
    expect(page).to_have_url(re.compile("/staff/sign-in"))


def test_a_link_that_was_used_says_so(person: Visitors, stage: Stage) -> None:
    link, page = link_to(stage), person(expects={410})
    page.goto(link)
    page.get_by_role("main").get_by_role("button", name="Aanmelden").click()
    page.goto(link)
    expect(page.get_by_role("heading", name="Deze link werkt niet meer")).to_be_visible()
    assert_accessible(page)
    assert_usable(page)
    assert_looks_like(page, "signin-link-over")


@pytest.fixture
def sent(api: Api) -> tuple[str, str]:
    """Login name and password, as a customer was sent them."""
    customer = api.release()
    before = len(_mails(api))
    body = {"channel": "email"}
    assert api.ask("POST", f"/api/activations/{customer}", json=body).status_code == 202
    wait_until(lambda: any(PASSWORD.search(mail) for mail in _mails(api)[before:]), "it is sent")
    (mail,) = [mail for mail in _mails(api)[before:] if PASSWORD.search(mail)]
    name = str((api.stage.onboarding(customer) or {})["login_name"])
    return name, PASSWORD.findall(mail)[0]


def _mails(api: Api) -> list[str]:
    """What was mailed until now, as it reads."""
    folder = api.stage.settings.data_dir / "mail"
    letters = [
        message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in sorted(folder.glob("*.eml"), key=lambda path: path.stat().st_mtime)
    ]
    bodies = [letter.get_body(("plain",)) for letter in letters]
    return [str(body.get_content()) if body else "" for body in bodies]


def fill(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        page.locator(f"#field-{name}").fill(value)


@pytest.mark.parametrize("javascript", [True, False])
def test_a_customer_gets_in_and_chooses_a_password(
    person: Visitors, sent: tuple[str, str], javascript: bool
) -> None:
    # Given a customer with what they were sent, whose first try goes wrong,
    page, (name, password) = person(javascript=javascript, expects={422}), sent
    page.goto("/login")
    fill(page, login_name=name, password=password[:-1] + "?")
    page.get_by_role("button", name="Inloggen").click()
    expect(page.get_by_role("alert")).to_contain_text("Loginnaam of wachtwoord klopt niet")
    assert_accessible(page)
    # When they type it right, Then they choose one of their own,
    fill(page, password=password.upper().replace("-", " "))
    page.get_by_role("button", name="Inloggen").click()
    expect(page.get_by_role("heading", name="Kies uw eigen wachtwoord")).to_be_visible()
    assert_accessible(page)
    assert_usable(page)
    # which is refused when it can be guessed,
    fill(page, new_password="welkom123456", new_password_again="welkom123456")
    page.get_by_role("button", name="Wachtwoord vastleggen").click()
    expect(page.get_by_role("alert")).to_contain_text("te makkelijk te raden")
    if javascript:
        assert_looks_like(page, "signin-choose", hide=[page.locator("#field-login_name")])
    # and they are in.
    fill(page, new_password=GOOD, new_password_again=GOOD)
    page.get_by_role("button", name="Wachtwoord vastleggen").click()
    expect(page.get_by_role("heading", name="U bent ingelogd")).to_be_visible()
    assert_accessible(page)
    assert_usable(page)
    if javascript:
        hide = [page.get_by_text("De administratie van"), page.locator("dd").first]
        assert_looks_like(page, "signin-logged-in", hide=hide)


def test_the_strength_is_told_while_one_types(person: Visitors) -> None:
    # Given somebody who changes their password, and uses nothing but the keyboard,
    page = person()
    page.goto("/password")
    page.locator("#field-new_password").focus()
    # When they type one that can be guessed, and go on to one that cannot, Then each is said.
    strength = page.locator("#strength")
    page.keyboard.type("welkom123456")
    expect(strength).to_contain_text("te makkelijk te raden")
    page.keyboard.type(" paarden drinken thee")
    expect(strength).to_contain_text("sterk")
    assert_accessible(page)
    # And no password is in an address.
    assert "paarden" not in page.url


def test_an_open_page_has_its_pass_renewed(person: Visitors, stage: Stage) -> None:
    # Given somebody who is signed in, on a page that stays open,
    page = person()
    page.clock.install()
    page.goto(link_to(stage))
    # The stream of news is there before the clock runs on: htmx gives it a minute to begin.
    with page.expect_response(re.compile("/changes")):
        page.get_by_role("main").get_by_role("button", name="Aanmelden").click()
    expect(page.get_by_text("A. van Voorbeeld")).to_be_visible()
    # When two minutes pass, Then it asks for another pass by itself.
    with page.expect_response(re.compile("/staff/pass")) as renewal:
        page.clock.run_for(121_000)
    assert renewal.value.status == 204
    assert "stappenplan-pass" in (renewal.value.header_value("set-cookie") or "")
