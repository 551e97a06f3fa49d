"""The payer signs online, with a code that only their own address gets."""

import re
from datetime import UTC, datetime
from hashlib import sha256

from shared.trade.calendar import business_day
from tests.integration.http.conftest import Api
from tests.integration.pages.payer.conftest import Paying
from tests.servers.premises import wait_until
from tests.visitors import words_of


def test_the_page_says_what_is_signed_for_whom_and_for_how_much(payer: Paying) -> None:
    who = payer(package={"code": "basis", "modules": []})
    page = who.open()
    assert page.status_code == 200
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    for words in (who.reference, "€ 217,80 per jaar", "eindigt op 4300", "Doorlopende SEPA-"):
        assert words in words_of(page)


def test_a_payer_signs_with_the_code_that_was_mailed(api: Api, payer: Paying) -> None:
    # Given a payer who has filled in who signs, and where
    who = payer()
    asked = who.prepare()
    assert "Vul de code uit de e-mail in" in words_of(asked)
    assert re.search(r"\b.\*\*\*@", words_of(asked))
    # When they enter the code from the mail
    signed = who.enter(asked, who.mailed_code())
    # Then the page says that it is signed, and KING is asked to collect.
    assert "Dank u wel, uw handtekening is ontvangen." in words_of(signed)
    assert "J. Voorbeeld heeft de bevestiging" in words_of(signed)
    order = api.ask("GET", f"/api/orders/{who.reference}").json()
    assert (order["signature_method"], order["signed_by"]) == ("online", "J. Voorbeeld")
    assert order["signed_on"] == business_day(datetime.now(UTC)).isoformat()
    assert api.to_collect(who.reference)["amount_cents"] == order["amount_cents"]


def test_the_evidence_is_kept_and_the_code_is_not(api: Api, payer: Paying) -> None:
    # Given a payer who signs
    who = payer()
    asked = who.prepare()
    code = who.mailed_code()
    who.enter(asked, code)
    # Then who, where, when, from where and what they agreed to are on record
    (evidence,) = who.signings()
    assert (evidence.name, evidence.place) == ("J. Voorbeeld", "Utrecht")
    assert evidence.address == "127.0.0.1"
    assert "python-httpx" in (evidence.user_agent or "")
    assert evidence.consent.startswith("Door ondertekening van dit formulier")
    assert evidence.signed_at is not None
    document = api.ask("GET", f"/api/orders/{who.reference}/confirmation.pdf").content
    assert evidence.document_sha256 == sha256(document).hexdigest()
    # And the code itself is neither there nor in what was queued to be mailed.
    assert code not in (evidence.code_hash or "")
    queued = [mail.params for mail in who.queued("signing_code")]
    assert len(queued) == 1
    assert code not in str(queued)


def test_what_is_missing_is_told_beside_its_field_and_the_rest_stays(payer: Paying) -> None:
    who = payer()
    page = who.post("/online", {"signed_by": "J. <b>", "place": " ", "shown_in": "nl"})
    assert page.status_code == 422
    assert "Vul de plaats in waar u tekent." in words_of(page)
    assert "zonder akkoord kunt u niet tekenen" in words_of(page)
    assert 'value="J. &lt;b&gt;"' in page.text
    assert who.signings() == []
    english = who.visitor.post(f"{who.path}/online?lang=en", {"shown_in": "en"})
    assert "Enter your name." in words_of(english)


def test_a_payer_whose_account_nobody_knows_gives_it(api: Api, payer: Paying) -> None:
    # Given an order without an account
    who = payer(payer={"kind": "customer"})
    without = who.prepare()
    assert "Vul het IBAN in waarvan wij mogen incasseren." in words_of(without)
    wrong = who.prepare(iban="NL91ABNA0417164301", account_holder="Bakkerij")
    assert "Dit IBAN klopt niet" in words_of(wrong)
    # When the payer gives it while signing
    asked = who.prepare(iban="nl91 abna 0417 1643 00", account_holder="Bakkerij")
    who.enter(asked, who.mailed_code())
    # Then it is what is collected from.
    assert api.to_collect(who.reference)["mandate"]["account_holder"] == "Bakkerij"


def test_an_account_that_is_known_is_not_changed_here(api: Api, payer: Paying) -> None:
    who = payer()
    asked = who.prepare(iban="NL20INGB0001234567", account_holder="Iemand anders")
    who.enter(asked, who.mailed_code())
    order = api.ask("GET", f"/api/orders/{who.reference}").json()
    assert order["mandate"]["iban_ends_with"] == "4300"


def test_five_wrong_codes_end_a_code(payer: Paying) -> None:
    # Given somebody who guesses
    who = payer()
    asked = who.prepare()
    code = who.mailed_code()
    wrong = f"{(int(code) + 1) % 10**6:06}"
    first = who.enter(asked, wrong)
    assert "U kunt het nog 4 keer proberen" in words_of(first)
    tries = [words_of(who.enter(asked, wrong)) for _ in range(4)]
    assert "U kunt het nog één keer proberen" in tries[2]
    last = tries[3]
    # When they come upon the right one at last, Then it is too late.
    assert "geldt niet meer" in last
    late = who.enter(asked, code)
    assert late.status_code == 422
    assert not who.order().signed


def test_a_last_try_is_one_in_english_as_well(payer: Paying) -> None:
    # Given a payer who reads English, and has guessed thrice
    who = payer()
    asked = who.prepare()
    wrong = f"{(int(who.mailed_code()) + 1) % 10**6:06}"
    who.visitor.get(asked.url.path, lang="en")
    for _ in range(3):
        assert "more times" in words_of(who.enter(asked, wrong))
    # When they guess once more, Then one try is left, and is not called several.
    assert "You can try once more." in words_of(who.enter(asked, wrong))


def test_a_code_is_typed_in_whatever_groups(payer: Paying) -> None:
    who = payer()
    asked = who.prepare()
    code = who.mailed_code()
    nonsense = who.enter(asked, "12 34")
    assert "Vul de zes cijfers uit de e-mail in." in words_of(nonsense)
    assert "Dank u wel" in words_of(who.enter(asked, f" {code[:3]} {code[3:]} "))


def test_a_second_code_within_two_minutes_is_refused(payer: Paying) -> None:
    who = payer()
    asked = who.prepare()
    soon = who.visitor.post(f"{asked.url.path}/again")
    assert soon.status_code == 409
    assert "Wacht twee minuten" in words_of(soon)
    again = who.prepare()
    assert "Wacht twee minuten" in words_of(again)
    assert len(who.signings()) == 1


def test_a_later_code_voids_the_former(payer: Paying) -> None:
    # Given a code that is some minutes old
    who = payer()
    asked = who.prepare()
    former = who.mailed_code()
    who.move_back(minutes=3)
    # When another is asked for
    again = who.visitor.post(f"{asked.url.path}/again")
    assert "de vorige geldt niet meer" in words_of(again)
    latter = who.mailed_code(2)
    # Then only the latter signs.
    if former != latter:
        assert who.enter(asked, former).status_code == 422
    assert "Dank u wel" in words_of(who.enter(asked, latter))


def test_a_code_ends_after_half_an_hour(payer: Paying) -> None:
    who = payer()
    asked = who.prepare()
    code = who.mailed_code()
    who.move_back(minutes=31)
    late = who.enter(asked, code)
    assert "Deze code geldt niet meer" in words_of(late)
    assert not who.order().signed


def test_the_form_sent_twice_is_one_signature(payer: Paying) -> None:
    who = payer()
    key = "5f1f8c1e-9a5c-4a39-9d3a-000000000001"
    first, second = who.prepare(form_key=key), who.prepare(form_key=key)
    assert first.url.path == second.url.path
    who.mailed_code()
    assert len(who.signings()) == 1
    assert len(who.mails("signing_code")) == 1


def test_signed_on_paper_meanwhile_is_said_on_the_page(api: Api, payer: Paying) -> None:
    # Given a payer with a code in hand, whose paper comes in first
    who = payer()
    asked = who.prepare()
    code = who.mailed_code()
    api.sign(who.reference, signed_by="A. Ander")
    # When they enter the code, Then the page says how it stands.
    assert "A. Ander heeft de bevestiging" in words_of(who.enter(asked, code))
    repeated = who.prepare()
    assert repeated.status_code == 409
    assert "al ondertekend" in words_of(repeated)


def test_the_code_of_one_order_is_of_no_use_for_another(payer: Paying) -> None:
    one, other = payer(), payer()
    asked = one.prepare()
    code = one.mailed_code()
    path = asked.url.path.replace(one.path, other.path)
    assert other.visitor.post(path, code=code).status_code == 404
    assert not other.order().signed


def test_the_page_speaks_the_payers_language_until_they_choose(payer: Paying) -> None:
    who = payer()
    who.visitor.http.cookies.clear()
    mailed = who.order().registration().customer.language
    assert f'<html lang="{mailed}">' in who.open().text
    assert '<html lang="en">' in who.open(lang="en").text


def test_the_code_is_mailed_to_the_payer_and_to_nobody_else(payer: Paying) -> None:
    who = payer(payer={"kind": "other", "name": "Holding", "email": "geld@holding.example"})
    asked = who.prepare(iban="NL91ABNA0417164300", account_holder="Holding")
    assert "g***@holding.example" in words_of(asked)
    wait_until(lambda: bool(who.mails("signing_code")), "the code was mailed", 20)
    assert len(who.mails("signing_code")) == 1
