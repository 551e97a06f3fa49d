"""KING's back office finds an order by its paper, compares, records, and undoes a slip."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.billing.confirmation.notices import scan_token
from shared.host.runtime import utc_now
from shared.trade.calendar import business_day
from tests.integration.http.conftest import Api
from tests.integration.pages.desk.conftest import Staffing
from tests.visitors import Visitor, words_of

TODAY = business_day(utc_now())
PAPER = {"method": "post", "signed_on": TODAY.isoformat(), "signed_by": "J. Voorbeeld"}
NO_ACCOUNT: dict[str, Any] = {"payer": {"kind": "customer"}}


def code_on(api: Api, reference: str) -> str:
    """What the scanner types."""
    return scan_token(reference, api.stage.settings.sealing_key())


def record(king: Visitor, reference: str, **changes: Any) -> httpx.Response:
    return king.post(f"/orders/{reference}/signature", PAPER | changes)


def order(api: Api, reference: str) -> dict[str, Any]:
    shown: dict[str, Any] = api.ask("GET", f"/api/orders/{reference}").json()
    return shown


def test_the_code_on_the_paper_opens_its_order_to_compare(api: Api, king: Visitor) -> None:
    # Given a payer's signed paper
    reference = api.order_of(api.sign_up())
    # When its code is scanned, Then the order is there, beside the form, with the whole account
    page = king.get("/orders", q=code_on(api, reference))
    assert page.url.path == f"/orders/{reference}"
    assert "NL91 ABNA 0417 1643 00" in words_of(page)
    assert order(api, reference)["company"] in words_of(page)
    assert f'action="/orders/{reference}/signature"' in page.text
    # And the code itself stands in no address.
    assert "?" not in str(page.url)
    assert king.get("/orders", q=f" {reference.lower()} ").url.path == f"/orders/{reference}"


@pytest.mark.parametrize("company", ["👩‍🍳 Rietdekkers", "🩷 Rietdekkers", "رنگ\u200cرزی"])
def test_an_order_is_found_at_the_desk_by_its_companys_name(
    api: Api, king: Visitor, company: str
) -> None:
    # Given an order of a company, and of one whose payer alone is called so
    owner, payer = api.form(), api.form()
    owner["customer"] |= {"company": company}
    owner["payer"] |= {"account_holder": "J. Voorbeeld"}
    payer["payer"] = {**payer["payer"], "kind": "other", "name": company}
    payer["payer"] |= {"email": "betaler@voorbeeld.example", "account_holder": "J. Voorbeeld"}
    references = [api.order_of(api.sign_up(**form)) for form in (owner, payer)]
    # When the name is typed, Then both are on the page.
    page = king.get("/orders", q=company)
    assert [f"/orders/{reference}" in page.text for reference in references] == [True, True]


def test_a_code_that_is_not_ours_is_refused_where_it_was_scanned(api: Api, king: Visitor) -> None:
    reference = api.order_of(api.sign_up())
    answer = king.get("/orders", q=f"{reference}.{'A' * 12}")
    assert answer.status_code == 404
    assert "Het zegel van deze code klopt niet" in words_of(answer)
    # The field is empty: the next scan would be typed behind what stands in it.
    assert 'name="q" type="text" value=""' in answer.text


def test_what_is_recorded_leads_back_to_the_scanner_with_a_way_to_undo_it(
    api: Api, king: Visitor
) -> None:
    # Given the order of a paper
    reference = api.order_of(api.sign_up())
    # When who signed is recorded
    answer = record(king, reference, method="fax")
    # Then the list is there for the next, which will have come in the same way
    assert answer.url.path == "/orders"
    assert f"{reference} vastgelegd" in words_of(answer)
    assert '<input type="hidden" name="method" value="fax">' in answer.text
    assert order(api, reference)["signed_by"] == "J. Voorbeeld"
    # And one press undoes it, with that as the reason.
    undone = king.post(f"/orders/{reference}/signature/withdraw", at_once="yes")
    assert "De ondertekening is teruggenomen" in words_of(undone)
    assert order(api, reference)["signed_on"] is None
    assert "ongedaan gemaakt" in order(api, reference)["acts"][-1]["details"]["reason"]
    assert f"{reference} vastgelegd" not in words_of(king.get("/orders", recorded=reference))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"signed_by": " "}, "Vul in wie er getekend heeft"),
        ({"signed_on": ""}, "Vul de datum in"),
        ({"signed_on": "gisteren"}, "Dit is geen datum"),
        ({"signed_on": (TODAY + timedelta(days=2)).isoformat()}, "Deze dag moet nog komen"),
        ({"signed_on": (TODAY - timedelta(days=1)).isoformat()}, "De order is van later"),
        ({"signed_on": "2020-01-01"}, "36 maanden"),
        ({"method": "online"}, "Kies hoe het binnenkwam"),
        ({"iban": "NL00BANK0000000000"}, "Dit IBAN klopt niet"),
    ],
)
def test_what_cannot_be_is_told_beside_its_field_with_all_that_was_typed(
    api: Api, king: Visitor, changes: dict[str, str], said: str
) -> None:
    reference = api.order_of(api.sign_up())
    answer = record(king, reference, **{"account_holder": "Typte <b>", **changes})
    assert answer.status_code == 422
    assert said in words_of(answer)
    assert 'value="Typte &lt;b&gt;"' in answer.text
    assert order(api, reference)["signed_on"] is None


def test_an_account_that_nobody_knows_is_taken_over_from_the_paper(api: Api, king: Visitor) -> None:
    # Given a payer who gave no account
    reference = api.order_of(api.sign_up(**NO_ACCOUNT))
    assert "niet bekend: staat op het papier" in words_of(king.get(f"/orders/{reference}"))
    # When the paper is recorded without one, Then it is asked for
    without = record(king, reference)
    assert without.status_code == 422
    assert "Neem het IBAN over van het papier" in words_of(without)
    # And with it the order is signed, for that account.
    record(king, reference, iban="nl20 ingb 0001 2345 67")
    assert order(api, reference)["mandate"]["iban_ends_with"] == "4567"


def test_the_next_paper_scanned_into_the_name_is_no_name(api: Api, king: Visitor) -> None:
    # Given a clerk who scans the next paper while the cursor is still in the form
    reference, following = api.order_of(api.sign_up()), api.order_of(api.sign_up())
    answer = record(king, reference, signed_by=f"J. V{code_on(api, following).lower()}")
    # Then nothing is recorded under it.
    assert answer.status_code == 422
    assert "Dit is de code van een bevestiging, geen naam" in words_of(answer)
    assert order(api, reference)["signed_on"] is None


def test_the_same_paper_again_is_harmless_and_another_is_told_what_is_recorded(
    api: Api, king: Visitor
) -> None:
    # Given a paper that was recorded
    reference = api.order_of(api.sign_up())
    record(king, reference)
    # When it comes again by fax, Then nothing happens
    assert f"{reference} vastgelegd" in words_of(record(king, reference, method="fax"))
    # When another name is recorded, Then it is said what stands there, and what was typed
    other = record(king, reference, signed_by="B. Anders")
    assert other.status_code == 409
    assert "al ondertekend, met andere gegevens" in words_of(other)
    assert "getekend door J. Voorbeeld" in words_of(other)
    assert "getekend door B. Anders" in words_of(other)
    assert order(api, reference)["signed_by"] == "J. Voorbeeld"


def test_a_signature_is_taken_back_with_a_reason_until_king_has_reported(
    api: Api, king: Visitor
) -> None:
    # Given a recorded paper
    reference = api.order_of(api.sign_up())
    record(king, reference)
    path = f"/orders/{reference}/signature/withdraw"
    # When it is taken back without a reason, Then one is asked for
    assert "Vul in waarom" in words_of(king.post(path, reason=" "))
    assert "teruggenomen" in words_of(king.post(path, reason="Verkeerde order"))
    again = king.post(path, reason="Nog eens")
    assert again.status_code == 409
    assert "geen ondertekening (meer) vastgelegd" in words_of(again)
    # When KING has reported, Then the page says why it stays, and so does the act.
    record(king, reference)
    api.report(api.to_collect(reference), status="submitted")
    shown = king.get(f"/orders/{reference}")
    assert "KING heeft al iets over de incasso gemeld" in words_of(shown)
    assert path not in shown.text
    assert king.post(path, reason="Te laat").status_code == 409


def test_the_story_of_an_order_tells_who_did_what_and_why_a_collection_failed(
    api: Api, king: Visitor
) -> None:
    # Given an order that was signed, and whose collection failed
    reference = api.order_of(api.sign_up())
    record(king, reference)
    api.report(api.to_collect(reference), status="failed", reason_code="AC04")
    # Then its page says so in words, and takes a new signature
    shown = king.get(f"/orders/{reference}")
    for words in (
        "Ondertekening vastgelegd",
        "M. Voorbeeld",
        "Bericht aan de betaler: handtekening ontvangen",
        "de rekening is opgeheven (AC04)",
        "Nieuwe handtekening vastleggen",
    ):
        assert words in words_of(shown)
    # For another account, since the bank refused the former.
    record(king, reference, iban="NL20INGB0001234567")
    assert order(api, reference)["mandate"]["iban_ends_with"] == "4567"


def test_orders_are_found_by_company_and_by_payer_and_listed_by_how_they_stand(
    api: Api, king: Visitor
) -> None:
    # Given an order that somebody else pays
    payer = {"kind": "other", "name": "Zonnig Beheer", "email": "z@beheer.example"}
    reference = api.order_of(api.sign_up(payer=payer))
    company = order(api, reference)["company"]
    for q in (company[:12].upper(), "zonnig"):
        assert reference in king.get("/orders", q=q).text
    assert "Geen order gevonden" in words_of(king.get("/orders", q="Bestaat niet"))
    assert reference in king.get("/orders").text
    record(king, reference, iban="NL20INGB0001234567")
    assert f"/orders/{reference}" not in king.get("/orders").text
    assert reference in king.get("/orders", status="signed").text
    assert reference in king.get("/orders", q="zonnig").text


def test_an_office_sees_its_own_orders_without_the_form_and_without_the_account(
    api: Api, staff: Staffing
) -> None:
    # Given an order of an office
    onboarding_id = api.sign_up("0077")
    reference = api.order_of(onboarding_id)
    own, other = staff("office", "0077"), staff("activator", "0042")
    # When the office looks, Then it sees how it stands, and nothing to record
    page = own.get(f"/orders/{reference}")
    assert "0417 1643" not in page.text
    assert "NL91ABNA0417164300" not in page.text
    assert "… 4300" in words_of(page)
    assert f"/orders/{reference}/signature" not in page.text
    assert reference in own.get("/orders").text
    assert own.get(f"/orders/{reference}/confirmation.pdf").content.startswith(b"%PDF-")
    part = own.get(f"/orders/{onboarding_id}/part")
    assert "order- en incassobevestiging" in words_of(part)
    assert record(own, reference).status_code == 403
    assert own.post(f"/orders/{reference}/signature/withdraw", reason="x").status_code == 403
    # And another office nothing at all.
    assert reference not in other.get("/orders").text
    for below in ("", "/part", "/standing", "/story", "/confirmation.pdf", "/changes"):
        assert other.get(f"/orders/{reference}{below}").status_code == 404
    assert other.get(f"/orders/{onboarding_id}/part").status_code == 404
    assert staff("operator").get(f"/orders/{reference}").status_code == 403


def test_an_order_that_covers_another_names_it_when_that_is_to_be_taken_back(
    api: Api, king: Visitor
) -> None:
    # Given an office that pays for two customers, and whose paper of the first is recorded
    payer = {"kind": "office", "iban": "NL91ABNA0417164300", "account_holder": "Kantoor"}
    first, second = (api.order_of(api.sign_up("0077", payer=payer)) for _ in range(2))
    record(king, first)
    # When the second is opened, Then it says under which paper it falls.
    shown = king.get(f"/orders/{second}")
    assert "onder een eerdere machtiging" in words_of(shown)
    assert f'<a href="/orders/{first}">{first}</a>' in shown.text


def test_a_list_that_is_open_hears_of_a_new_order(api: Api, king: Visitor) -> None:
    with king.http.stream("GET", "/orders/changes", params={"since": "old"}) as answer:
        assert "event: changed" in next(line for line in answer.iter_lines() if "changed" in line)
