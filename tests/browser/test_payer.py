"""The payer in front of a browser: signs online, on paper, by keyboard, on a telephone."""

import email
import email.policy
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from shared.links import Purpose
from tests.browser.accessible import assert_accessible
from tests.browser.open_pages import TwoSeconds
from tests.browser.screens import assert_looks_like
from tests.browser.usable import assert_usable
from tests.browser.visitors import Visitors
from tests.e2e.api import Api
from tests.e2e.clock import MONDAY_MORNING
from tests.servers.premises import wait_until

CODE = re.compile(r"^\s*(\d{6})\s*$", re.MULTILINE)
PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\n%%EOF\n"
ACCOUNT = {"kind": "customer", "iban": "NL20INGB0001234567", "account_holder": "Bakkerij"}

OpenPage = Callable[..., tuple[Page, str]]


@pytest.fixture
def asked(api: Api, person: Visitors) -> OpenPage:
    """Opens the page of a payer who is asked to sign; also the order's reference."""

    def opened(*, payer: dict[str, str] | None = None, **who: object) -> tuple[Page, str]:
        onboarding_id = api.sign_up(
            payer=payer or ACCOUNT, package={"code": "basis", "modules": []}
        )
        reference = api.order_of(onboarding_id)
        page = person(**who)  # type: ignore[arg-type]
        path = api.stage.settings.page_links().path(Purpose.SIGN, onboarding_id, MONDAY_MORNING)
        # Chosen by hand: the page speaks the payer's own language else.
        page.goto(f"{path}?lang={who.get('language', 'nl')}")
        return page, reference

    return opened


def mailed_code(api: Api, reference: str) -> str:
    """The code that the payer of this order finds in their mailbox."""
    folder: Path = api.stage.settings.data_dir / "mail"

    def texts() -> list[str]:
        mails = [
            email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for path in sorted(folder.glob("*-signing_code-*.eml"))
        ]
        bodies = [mail.get_body(("plain",)) for mail in mails if reference in mail["subject"]]
        return [body.get_content() for body in bodies if body is not None]

    wait_until(lambda: bool(texts()), "the code was mailed", 20)
    found = CODE.search(texts()[-1])
    assert found is not None
    return found[1]


@pytest.mark.parametrize("javascript", [True, False])
@pytest.mark.parametrize("language", ["nl", "en"])
def test_a_payer_signs_online(asked: OpenPage, api: Api, language: str, javascript: bool) -> None:
    # Given a payer in front of their page
    page, reference = asked(language=language, javascript=javascript)
    assert_accessible(page)
    # When they fill in who signs and where, and the code from their mail
    nl = language == "nl"
    page.get_by_label("Uw naam" if nl else "Your name").fill("J. Voorbeeld")
    page.get_by_label("Plaats waar u tekent" if nl else "Place where you sign").fill("Utrecht")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Stuur mij de code" if nl else "Send me the code").click()
    expect(page.get_by_label("Code", exact=True)).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Code", exact=True).fill(mailed_code(api, reference))
    page.get_by_role("button", name="Ondertekenen" if nl else "Sign", exact=True).click()
    # Then the page says so.
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text(
        "Ondertekend: u hoeft niets meer te doen" if nl else "Signed: there is nothing left to do"
    )
    assert_accessible(page)


def test_what_is_missing_is_found_by_whoever_hears_or_sees_it(
    asked: OpenPage, person: Visitors
) -> None:
    page, _ = asked(expects={422})
    page.get_by_role("button", name="Stuur mij de code").click()
    # Then the summary has the focus, and each of its lines leads to its field.
    expect(page.locator("#errors")).to_be_focused()
    page.get_by_role("link", name="Vul uw naam in").click()
    expect(page.get_by_label("Uw naam")).to_be_focused()
    assert_accessible(page)


@pytest.mark.parametrize("javascript", [True, False])
def test_a_payer_signs_on_paper(asked: OpenPage, javascript: bool) -> None:
    # Given a payer who prefers paper
    page, reference = asked(javascript=javascript)
    with page.expect_download() as download:
        page.get_by_role("link", name=f"Order- en incassobevestiging {reference}").click()
    assert download.value.suggested_filename.endswith(f"{reference}.pdf")
    # When they post it, and send a scan as well
    page.get_by_role("button", name="Ik heb haar gepost").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Uw brief is onderweg")
    assert_accessible(page)
    scan = {"name": "scan.pdf", "mimeType": "application/pdf", "buffer": PDF}
    page.get_by_label("De ondertekende bevestiging").set_input_files(scan)  # type: ignore[arg-type]
    page.get_by_role("button", name="Bestand sturen").click()
    # Then the page says that somebody looks at it.
    expect(page.get_by_role("heading", level=1)).to_have_text("Uw bestand wordt bekeken")
    assert_accessible(page)


def test_the_page_can_be_used_with_keys_alone_and_on_a_telephone(asked: OpenPage) -> None:
    page, _ = asked()
    assert_usable(page)


def test_an_open_page_shows_within_two_seconds_that_it_was_signed(
    asked: OpenPage, api: Api
) -> None:
    # Given a page that lies open, with a name half typed
    page, reference = asked()
    page.get_by_label("Uw naam").fill("J. Voor")
    # When the signed paper is recorded elsewhere
    assert api.sign(reference).status_code == 202
    # Then the page says so by itself.
    TwoSeconds().show(page.get_by_role("heading", level=1).filter(has_text="Ondertekend"))


def test_the_pages_look_as_they_did(api: Api, person: Visitors) -> None:
    # Given a payer whose names are always the same,
    form = api.form(payer=ACCOUNT, package={"code": "basis", "modules": []})
    form["customer"] |= {"company": "Bakkerij De Halm", "email": "klant@dehalm.example"}
    answer = api.ask("POST", "/api/signups", json=form)
    onboarding_id = answer.json()["onboarding_id"]
    reference = api.order_of(onboarding_id)
    page = person()
    path = api.stage.settings.page_links().path(Purpose.SIGN, onboarding_id, MONDAY_MORNING)

    def look(name: str) -> None:
        numbers = page.get_by_text(re.compile(r"[OM]-2026-\d{6}"))
        assert_looks_like(page, f"payer-{name}", hide=[numbers])

    # When they go their way, Then each page is as somebody found it good.
    page.goto(f"{path}?lang=nl")
    look("unsigned")
    page.set_viewport_size({"width": 360, "height": 740})
    look("unsigned-telephone")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_label("Uw naam").fill("J. Voorbeeld")
    page.get_by_label("Plaats waar u tekent").fill("Utrecht")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Stuur mij de code").click()
    page.get_by_label("Code", exact=True).wait_for()
    look("code")
    page.get_by_label("Code", exact=True).fill(mailed_code(api, reference))
    page.get_by_role("button", name="Ondertekenen", exact=True).click()
    page.get_by_text("Dank u wel").wait_for()
    look("signed")
