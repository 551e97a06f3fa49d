"""A customer signs up: fills in, checks the answers, sends them, and is thanked."""

from urllib.parse import urlsplit

import pytest

from shared.host.runtime import utc_now
from tests.e2e.stage import Stage
from tests.integration.http.conftest import Api
from tests.integration.pages.signup.conftest import SITE, field_value, filled_in, hidden_fields
from tests.servers.premises import wait_until
from tests.visitors import Visitor, words_of

FORM = "/signup/0042"


def mails_to(stage: Stage, address: str) -> int:
    """How many mails to this address lie in the mailbox."""
    folder = stage.settings.data_dir / "mail"
    return sum(f"To: {address}" in path.read_text() for path in folder.glob("*.eml"))


def test_a_customer_signs_up_and_can_reload_the_thanks(customer: Visitor, stage: Stage) -> None:
    # Given a customer who has filled in the form
    form = filled_in("Winkel Een")
    # When they check their answers
    check = customer.post(FORM, form)
    # Then they read them in normal form, with bank and price
    assert check.status_code == 200
    for words in ("Klopt alles?", "1234 AB", "+31612345601", "ABN AMRO", "€ 464,64"):
        assert words in words_of(check)
    # When they send them
    thanks = customer.post(FORM, hidden_fields(check), step="send")
    # Then they are thanked on a page that can be reloaded, with the link to their own
    assert "uw inschrijving is ontvangen" in words_of(thanks)
    assert thanks.request.method == "GET"
    assert customer.get(str(thanks.url)).text == thanks.text
    onboarding_id = customer.site.links.signer.read(
        "status", thanks.url.path.rpartition("/")[2], utc_now()
    ).claims["sub"]
    assert f"/status/{thanks.url.path.rpartition('/')[2]}" in thanks.text
    wait_until(lambda: stage.onboarding(onboarding_id) is not None, "it is followed", 20)
    # And the confirmation goes to them.
    wait_until(lambda: mails_to(stage, "winkeleen@winkel.example") > 0, "it is mailed", 20)


def test_a_double_click_is_one_sign_up(customer: Visitor) -> None:
    # Given answers that are checked
    check = customer.post(FORM, filled_in("Winkel Twee"))
    carried = hidden_fields(check)
    # When they are sent twice
    first, second = (customer.post(FORM, carried, step="send") for _ in range(2))
    # Then both lead to the same thanks.
    assert first.url == second.url
    assert first.text == second.text


def test_what_is_wrong_is_told_beside_the_field_and_all_else_is_still_there(
    customer: Visitor, stage: Stage
) -> None:
    # Given a form with a wrong number, no channel and no ticked terms
    form = filled_in("Winkel Drie", customer__kvk="123", preferred_channel="", terms_accepted="")
    # When it is sent on
    answer = customer.post(FORM, form)
    # Then each fault is told, at the top and beside its field, and everything typed is there
    assert answer.status_code == 422
    assert 'href="#field-customer-kvk"' in answer.text
    for words in ("precies 8 cijfers", "Inloggegevens: Maak een keuze.", "Zet een vinkje"):
        assert words in words_of(answer)
    assert field_value(answer, "customer.company") == "Winkel Drie"
    assert field_value(answer, "customer.kvk") == "123"
    # And nothing was mailed for it: the form has shown it.
    assert mails_to(stage, "winkeldrie@winkel.example") == 0


def test_an_empty_form_names_every_field_that_is_needed(customer: Visitor) -> None:
    answer = customer.post(FORM, {})
    assert answer.status_code == 422
    for words in ("Bedrijfsnaam: Vul dit veld in.", "Achternaam: Vul", "Pakket: Maak een keuze."):
        assert words in words_of(answer)


def test_a_citizen_number_gets_no_further(customer: Visitor, stage: Stage) -> None:
    # Given a sole trader who takes their tax number for their VAT id
    form = filled_in(
        "Winkel Bsn", customer__legal_form="eenmanszaak", customer__vat_id="NL004495445B01"
    )
    # When the form is sent on, Then they are told what it is, and nothing is kept of it.
    answer = customer.post(FORM, form)
    assert answer.status_code == 422
    assert "Uw burgerservicenummer bewaren wij niet" in words_of(answer)
    for database in (stage.settings.data_dir).glob("signup.db*"):
        assert b"004495445" not in database.read_bytes()


def test_the_answers_can_be_changed_with_everything_still_there(customer: Visitor) -> None:
    check = customer.post(FORM, filled_in("Winkel Vier"))
    form = customer.post(FORM, hidden_fields(check), step="edit")
    assert form.status_code == 200
    assert field_value(form, "customer.company") == "Winkel Vier"
    assert 'name="terms_accepted" value="yes" checked' in form.text
    # And they go along into the other language.
    english = customer.post(f"{FORM}?lang=en", hidden_fields(check), step="check")
    assert "Is everything right?" in words_of(english)
    assert "Winkel Vier" in words_of(english)


def test_a_slip_in_the_mail_address_is_mended_with_one_press(customer: Visitor) -> None:
    # Given an address that is a letter beside a common one
    form = filled_in("Winkel Vijf", customer__email="winkelvijf@gmial.com")
    check = customer.post(FORM, form)
    assert "Bedoelde u winkelvijf@gmail.com?" in words_of(check)
    # When the customer takes up the hint, from the check or from the form
    mended = customer.post(FORM, hidden_fields(check), adopt="customer.email")
    in_form = customer.post(FORM, form, adopt="customer.email")
    # Then it stands there instead.
    assert "winkelvijf@gmail.com" in words_of(mended)
    assert "Klopt alles?" in words_of(mended)
    assert field_value(in_form, "customer.email") == "winkelvijf@gmail.com"


def test_who_is_no_longer_chosen_to_pay_does_not_go_along(customer: Visitor) -> None:
    # Given a customer who typed another payer's address, and then chose to pay themselves
    form = filled_in("Winkel Zes", payer__name="Holding Zes", payer__email="zes@holding.example")
    # When the answers are checked, Then the other is not among them.
    check = words_of(customer.post(FORM, form))
    assert "Holding Zes" not in check
    assert "zes@holding.example" not in check
    other = words_of(customer.post(FORM, {**form, "payer.kind": "other"}))
    assert "Holding Zes" in other
    assert "zes@holding.example" in other


def test_an_office_pays_only_where_it_does(customer: Visitor) -> None:
    form = filled_in("Winkel Zeven", payer__kind="office")
    assert 'value="office"' not in customer.get("/signup/0077").text
    refused = customer.post("/signup/0077", form)
    assert "betaalt niet voor zijn klanten" in words_of(refused)
    assert "Klopt alles?" in words_of(customer.post(FORM, form))


def test_terms_that_changed_meanwhile_are_accepted_anew(customer: Visitor) -> None:
    # Given answers whose terms were accepted by another version
    carried = hidden_fields(customer.post(FORM, filled_in("Winkel Acht")))
    # When they are sent, Then the customer is asked again, and nothing was signed up.
    answer = customer.post(FORM, {**carried, "terms.version": ["2019-01"]}, step="send")
    assert answer.status_code == 422
    assert "De voorwaarden zijn zojuist gewijzigd" in words_of(answer)


def test_prices_banks_and_hints_come_as_fragments(customer: Visitor) -> None:
    price = customer.get(f"{FORM}/price?package.code=basis&package.modules=scan")
    assert "304,92" in price.text  # 180 and 72, with 21 % VAT.
    assert "<html" not in price.text
    assert "Kies een pakket" in customer.get(f"{FORM}/price").text
    bank = customer.post(f"{FORM}/bank", {"payer.iban": "nl91abna0417164300"})
    assert "ABN AMRO" in bank.text
    assert "klopt niet" in customer.post(f"{FORM}/bank", {"payer.iban": "NL00"}).text
    hint = customer.post(f"{FORM}/hint/customer.email", {"customer.email": "a@hotmial.com"})
    assert "a@hotmail.com" in hint.text
    assert customer.post(f"{FORM}/hint/remarks", {"remarks": "a@hotmial.com"}).status_code == 404


def test_the_form_speaks_the_offices_language_until_another_is_chosen(customer: Visitor) -> None:
    customer.http.cookies.clear()
    assert "Sign up for iMUIS Online" in words_of(customer.get("/signup/0088"))
    dutch = customer.get("/signup/0088?lang=nl")
    assert "Inschrijven voor iMUIS Online" in words_of(dutch)


def test_only_the_offices_own_sites_may_frame_its_form(customer: Visitor) -> None:
    own, other = customer.get("/signup/0077"), customer.get(FORM)
    assert f"frame-ancestors {SITE}" in own.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in other.headers["content-security-policy"]
    assert "/static/color/1a6b54.css" in own.text


def test_the_language_goes_along_where_no_cookie_is_kept(customer: Visitor) -> None:
    # Given a form in a frame of the office's site, where browsers keep no cookies of ours
    customer.http.cookies.clear()
    check = customer.post(f"{FORM}?lang=en", filled_in("Framed Shop"))
    assert f'action="{FORM}?lang=en"' in check.text
    customer.http.cookies.clear()
    # When it is sent, Then the thanks are in that language still.
    thanks = customer.post(f"{FORM}?lang=en", hidden_fields(check), step="send")
    assert "we have received your sign-up" in words_of(thanks)


def test_who_is_not_mailed_is_not_told_that_they_are(customer: Visitor, stage: Stage) -> None:
    # Given a name that holds a link, which may be a stranger's bad joke
    form = filled_in("Kijk op www.winkel.nl")
    check = customer.post(FORM, form)
    # When it is sent, Then nobody is promised a mail, and none leaves to the customer.
    thanks = customer.post(FORM, hidden_fields(check), step="send")
    assert "Uw kantoor bekijkt uw inschrijving" in words_of(thanks)
    assert "bevestiging per e-mail, met" not in words_of(thanks)
    assert mails_to(stage, form["customer.email"]) == 0


@pytest.mark.parametrize("path", ["/signup/9999", "/signup/0042/thanks/nobody.nothing"])
def test_what_is_not_there_is_told_so(customer: Visitor, path: str) -> None:
    assert customer.get(path).status_code == 404


def test_the_thanks_of_one_office_are_not_shown_as_anothers(customer: Visitor, api: Api) -> None:
    answer = api.ask("POST", "/api/signups", json=api.form())
    token = urlsplit(answer.json()["status_url"]).path.rpartition("/")[2]
    assert customer.get(f"{FORM}/thanks/{token}").status_code == 200
    assert customer.get(f"/signup/0077/thanks/{token}").status_code == 404


def test_a_form_of_another_site_signs_nobody_up(customer: Visitor) -> None:
    data = {"form_key": "8f8f9f6e-8f0f-4b53-9d6c-2e8a2f4c9b11", **filled_in("Winkel Negen")}
    answer = customer.http.post(FORM, data=data, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_markup_in_a_name_is_no_markup(customer: Visitor) -> None:
    check = customer.post(FORM, filled_in("<script>alert(1)</script> Winkel"))
    assert "<script>alert" not in check.text
    assert "&lt;script&gt;alert(1)" in check.text
