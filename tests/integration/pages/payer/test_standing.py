"""The payer's page says where things stand, and opens for whoever holds a link that is good."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.links import PageLinks, Purpose
from tests.e2e.stage import Stage
from tests.integration.http.conftest import Api
from tests.integration.pages.payer.conftest import Payer, Paying, payer_on
from tests.servers.premises import wait_until
from tests.visitors import words_of

LONG_AGO = datetime.now(UTC) - timedelta(days=200)


def test_opening_the_page_changes_nothing(payer: Paying) -> None:
    # Given an order, When a mail scanner follows every link of its page,
    who = payer()
    before = who.order().model_dump()
    for below in ("", "/confirmation.pdf"):
        assert who.open(below).status_code == 200
        who.visitor.http.head(f"{who.path}{below}")
    for below in ("/posted", "/scan", "/online", "/new-link"):
        assert who.open(below).status_code == 405
    # Then all is as it was.
    assert who.order().model_dump() == before
    assert who.signings() == []


def test_the_document_is_downloaded_and_kept_nowhere(api: Api, payer: Paying) -> None:
    who = payer()
    answer = who.open("/confirmation.pdf")
    assert answer.content == api.ask("GET", f"/api/orders/{who.reference}/confirmation.pdf").content
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["content-disposition"].startswith("attachment; ")


def test_the_page_follows_the_money(api: Api, payer: Paying) -> None:
    # Given a signed order
    who = payer()
    api.sign(who.reference)
    assert "niet eerder dan" in words_of(who.open())
    assert "Stuur mij de code" not in words_of(who.open())
    # When KING fails for want of money, Then the payer hears why, and that we try again.
    collection = api.to_collect(who.reference)
    api.report(collection, status="failed", reason_code="AM04")
    failed = words_of(who.open())
    assert "De incasso is niet gelukt" in failed
    assert "onvoldoende saldo" in failed
    assert "Wij incasseren later nog een keer" in failed
    # When it succeeds after all, Then all is well.
    api.report(collection, status="succeeded", end_to_end_id=f"{who.reference}-2", attempt=2)
    assert "Betaald: alles is in orde" in words_of(who.open())


def test_thanks_are_not_taken_back_when_something_changes(payer: Paying) -> None:
    # Given a payer who has just signed, When the part of the page that changes is shown anew,
    who = payer()
    thanks = "Dank u wel, uw handtekening is ontvangen."
    page = who.open(done="signed")
    assert thanks in words_of(page)
    (address,) = re.findall(rf'hx-get="({who.path}[^"]*)"', page.text)
    anew = who.visitor.http.get(address, headers={"hx-request": "true"})
    # Then they are thanked still.
    assert "Onderteken de bevestiging" in anew.text
    assert thanks in anew.text


def test_what_the_bank_refuses_for_good_is_signed_anew(api: Api, payer: Paying) -> None:
    # Given an order whose account is closed
    who = payer()
    api.sign(who.reference)
    api.report(api.to_collect(who.reference), status="failed", reason_code="AC04")
    page = words_of(who.open())
    assert "de rekening is opgeheven" in page
    assert "Opnieuw ondertekenen" in page
    # When the payer signs for another account
    assert "Vul het IBAN in" in words_of(who.prepare())
    asked = who.prepare(iban="NL20INGB0001234567", account_holder="Bakkerij")
    signed = who.enter(asked, who.mailed_code())
    # Then KING is asked to collect from there.
    assert "Dank u wel" in words_of(signed)
    assert api.to_collect(who.reference)["mandate"]["iban"] == "NL20INGB0001234567"


def test_a_standing_mandate_needs_no_signature(api: Api, payer: Paying) -> None:
    # Given an office that has signed for all its customers
    office = {"kind": "office", "iban": "NL20INGB0001234567", "account_holder": "Kantoor"}
    first = payer(payer=office)
    api.sign(first.reference)
    # When it pays for another
    onboarding_id = api.sign_up(payer=office)
    covered = replace(first, onboarding_id=onboarding_id)
    wait_until(lambda: covered.find_order() is not None, "the order was placed", 20)
    # Then its page asks for nothing.
    page = words_of(covered.open())
    assert "U hoeft niet te tekenen" in page
    assert "Stuur mij de code" not in page


def test_a_withdrawn_order_says_so_and_shows_nothing_else(api: Api, payer: Paying) -> None:
    # Given an order that is withdrawn
    who = payer()
    api.ask("POST", f"/api/signups/{who.onboarding_id}/withdraw", json={"reason": "stopt"})
    wait_until(lambda: who.order().withdrawn, "billing heard of it", 20)
    # When the payer follows the link of before
    page = words_of(who.open())
    # Then it says that nothing is collected, and neither account nor document is there.
    assert "Deze order is ingetrokken" in page
    assert "4300" not in page
    assert who.open("/confirmation.pdf").status_code == 404
    assert who.prepare().status_code == 409


def test_an_expired_link_says_so_and_sends_a_new_one(payer: Paying) -> None:
    # Given a link of long ago
    who = payer()
    who.issued_at = LONG_AGO
    page = who.open()
    assert page.status_code == 410
    assert "Deze link is verlopen" in words_of(page)
    assert "***@" in words_of(page)
    assert "4300" not in page.text
    # When the payer asks for a new one, twice
    answers = [words_of(who.post("/new-link")) for _ in range(2)]
    # Then the answer is the same, one mail has come, and its link opens the page.
    assert answers[0] == answers[1]
    wait_until(lambda: who.queued("payer_link")[0].sent_at is not None, "the link was mailed", 20)
    assert len(who.queued("payer_link")) == 1
    link = mailed_link(who)
    assert who.reference in words_of(who.visitor.get(link))


@pytest.mark.parametrize("below", ["/posted", "/online", "/scan"])
def test_an_expired_link_signs_nothing(below: str, payer: Paying) -> None:
    who = payer()
    who.issued_at = LONG_AGO
    assert who.post(below, posted_on="2026-11-26").status_code == 404
    assert who.open("/confirmation.pdf").status_code == 404


def test_after_a_changed_address_the_former_link_opens_nothing(api: Api, payer: Paying) -> None:
    # Given a customer who pays, and whose address is corrected
    who = payer()
    changed = api.ask(
        "PATCH", f"/api/onboardings/{who.onboarding_id}/contact", json={"email": "n@nieuw.example"}
    )
    assert changed.status_code == 200
    wait_until(lambda: who.order().links_not_before is not None, "billing heard of it", 20)
    # Then the link that went to the former one is void, and a new one goes to the new address.
    assert who.open().status_code == 410
    assert "n***@nieuw.example" in words_of(who.open())
    who.issued_at = datetime.now(UTC)
    assert who.open().status_code == 200


def test_a_link_of_another_page_opens_nothing(api: Api, payer: Paying) -> None:
    who = payer()
    status = who.visitor.site.links.path(Purpose.STATUS, who.onboarding_id, datetime.now(UTC))
    assert who.visitor.get(status.replace("/status/", "/sign/")).status_code == 404
    forged = PageLinks(api.address, ["x" * 40])
    path = forged.path(Purpose.SIGN, who.onboarding_id, datetime.now(UTC))
    assert who.visitor.get(path).status_code == 404


def test_an_open_page_shows_a_change_by_itself(api: Api, payer: Paying) -> None:
    # Given a page that is open
    who = payer()
    page = who.open().text
    version = page.partition("/changes?since=")[2].partition('"')[0]
    # When the order is signed elsewhere
    with who.visitor.http.stream("GET", f"{who.path}/changes", params={"since": version}) as stream:
        api.sign(who.reference)
        heard = next(line for line in stream.iter_lines() if line.startswith("event:"))
    # Then the page hears of it, and fetches just its contents.
    assert heard == "event: changed"
    part = who.visitor.http.get(who.path, headers={"HX-Request": "true"})
    assert "<html" not in part.text
    assert "Ondertekend" in part.text


def test_a_business_mandate_is_registered_at_the_payers_own_bank(business_stage: Stage) -> None:
    # Given a payer with ING, under the scheme between businesses
    api = Api(business_stage)
    who = payer_on(
        business_stage,
        api,
        payer={"kind": "customer", "iban": "NL20INGB0001234567", "account_holder": "Bakkerij"},
    )
    page = words_of(who.open())
    assert "Doorlopende SEPA-machtiging bedrijven" in page
    assert "Na afschrijving heeft u geen recht" in page
    # When they have signed
    signed = words_of(who.enter(who.prepare(), who.mailed_code()))
    # Then what the bank wants comes first, with what is to be copied.
    assert "Doe dit bij ING" in signed
    assert "Log in bij ING" in signed
    order = api.ask("GET", f"/api/orders/{who.reference}").json()
    assert order["mandate"]["reference"] in signed
    assert "NL69ZZZ123456780000" in signed


def mailed_link(who: Payer) -> str:
    """The path of the payer's page in the last mail that brought a new link."""
    text = who.mails("payer_link")[-1]
    return "/sign/" + text.partition("/sign/")[2].split()[0].strip(">)")
