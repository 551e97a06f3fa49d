"""The office checks what was signed up with, corrects it, registers or declines."""

from tests.integration.http.conftest import Api
from tests.integration.pages.registration.conftest import Staffing
from tests.visitors import words_of


def sign_up(api: Api, **changes: object) -> str:
    """A sign-up that waits for its office's check, since that office checks each."""
    return api.to_check("0077", **changes)


def test_the_office_registers_a_customer_and_goes_on_to_the_next(api: Api, staff: Staffing) -> None:
    # Given two sign-ups that wait
    first, second = sign_up(api), sign_up(api)
    office = staff()
    assert f"/registrations/{first}" in office.get("/registrations").text
    # When the office registers the first
    answer = office.post(f"/registrations/{first}/register")
    # Then it is told so, and whoever waits longest is before it.
    assert "is aangemeld" in words_of(answer)
    assert f"/registrations/{first}" not in str(answer.url)
    shown = words_of(office.get(f"/registrations/{first}"))
    assert "aangemeld" in shown
    assert "M. Voorbeeld" in shown
    assert f"/registrations/{second}" in office.get("/registrations").text


def test_a_decision_that_was_made_before_is_shown_with_who_made_it(
    api: Api, staff: Staffing
) -> None:
    onboarding_id = sign_up(api)
    staff().post(f"/registrations/{onboarding_id}/register")
    answer = staff().post(f"/registrations/{onboarding_id}/decline", reason="Toch niet")
    assert answer.status_code == 409
    assert "al beslist" in words_of(answer)
    assert "Beslist door M. Voorbeeld" in words_of(answer)


def test_a_sign_up_is_declined_with_a_reason_alone(api: Api, staff: Staffing) -> None:
    onboarding_id = sign_up(api)
    office = staff()
    without = office.post(f"/registrations/{onboarding_id}/decline", reason="  ")
    assert without.status_code == 422
    assert "Vul in waarom" in words_of(without)
    office.post(f"/registrations/{onboarding_id}/decline", reason="Geen klant van ons")
    shown = words_of(office.get(f"/registrations/{onboarding_id}"))
    assert "afgewezen" in shown
    assert "Geen klant van ons" in shown


def test_what_is_corrected_is_corrected_by_the_rules_of_the_sign_up(
    api: Api, staff: Staffing
) -> None:
    # Given a sign-up with a wrong postcode and house number
    onboarding_id = sign_up(api)
    office = staff()
    page = office.get(f"/registrations/{onboarding_id}/correct")
    fields = form_fields(page.text)
    # When the office fills in what cannot be
    wrong = office.post(
        f"/registrations/{onboarding_id}/correct",
        fields | {"customer.kvk": "123", "customer.company": "Bakkerij <Nieuw>"},
    )
    # Then each is told beside its field, and what was typed is still there.
    assert wrong.status_code == 422
    assert "8 cijfers" in words_of(wrong)
    assert 'value="Bakkerij &lt;Nieuw&gt;"' in wrong.text
    # When it is filled in rightly
    office.post(
        f"/registrations/{onboarding_id}/correct",
        fields | {"customer.kvk": "12345678", "customer.company": "Bakkerij Nieuw"},
    )
    # Then that is what holds, and the rest stayed as it was.
    registration = api.ask("GET", f"/api/registrations/{onboarding_id}").json()
    assert registration["customer"]["company"] == "Bakkerij Nieuw"
    assert registration["customer"]["kvk"] == "12345678"
    assert registration["payer"]["iban"] == "NL91ABNA0417164300"
    assert registration["corrected_by"] == "M. Voorbeeld"
    assert registration["acts"][-1]["details"]["fields"] == ["customer.company", "customer.kvk"]


def test_another_payer_brings_nothing_of_the_former_ones(api: Api, staff: Staffing) -> None:
    # Given a customer who would pay from an account that the office cannot see in full
    onboarding_id = sign_up(api)
    office = staff()
    path = f"/registrations/{onboarding_id}/correct"
    assert "vervalt het" in words_of(office.get(path))
    # When the office chooses to pay itself, and leaves the rest of the form as it is
    office.post(path, form_fields(office.get(path).text) | {"payer.kind": "office"})
    # Then the customer's account is gone from the sign-up, and is collected from for nobody.
    payer = api.ask("GET", f"/api/registrations/{onboarding_id}").json()["payer"]
    assert (payer["kind"], payer["iban"], payer["account_holder"]) == ("office", None, None)


def test_king_empties_an_account_that_is_wrong(api: Api, staff: Staffing) -> None:
    onboarding_id = sign_up(api)
    king = staff("king")
    path = f"/registrations/{onboarding_id}/correct"
    king.post(path, form_fields(king.get(path).text) | {"payer.iban": ""})
    payer = api.ask("GET", f"/api/registrations/{onboarding_id}").json()["payer"]
    assert (payer["kind"], payer["iban"]) == ("customer", None)


def test_an_office_sees_how_an_account_ends_and_king_all_of_it(api: Api, staff: Staffing) -> None:
    onboarding_id = sign_up(api)
    path = f"/registrations/{onboarding_id}"
    assert "NL91ABNA0417164300" not in staff().get(path).text
    assert "eindigt op 4300" in words_of(staff().get(path))
    assert "NL91ABNA0417164300" in staff("king").get(path).text
    assert "NL91ABNA0417164300" not in staff().get(f"{path}/correct").text


def test_another_offices_sign_up_is_not_there(api: Api, staff: Staffing) -> None:
    onboarding_id = sign_up(api)
    other = staff(office="0042")
    for path in ("", "/correct", "/part"):
        assert other.get(f"/registrations/{onboarding_id}{path}").status_code == 404
    for path in ("/register", "/decline", "/correct", "/administration"):
        answer = other.post(f"/registrations/{onboarding_id}{path}", reason="Nee")
        assert answer.status_code == 404
    assert f"/registrations/{onboarding_id}" not in other.get("/registrations").text


def test_a_failed_copy_is_made_from_another_base(api: Api, staff: Staffing) -> None:
    # Given an office whose own base administration does not exist
    api.stage.open_office("0088", review="flagged", base_administration="bestaat-niet")
    onboarding_id = api.sign_up("0088")
    api.waits_for(onboarding_id, "administration_failed")
    office = staff(office="0088")
    assert "bestaat niet" in words_of(office.get(f"/registrations/{onboarding_id}"))
    # When the office chooses one that does
    answer = office.post(
        f"/registrations/{onboarding_id}/administration", base_administration="standard"
    )
    # Then the customer has books.
    assert "A-10" in words_of(answer)


def test_the_part_of_a_customers_story_tells_who_did_what(api: Api, staff: Staffing) -> None:
    onboarding_id = sign_up(api)
    office = staff()
    office.post(f"/registrations/{onboarding_id}/register")
    part = words_of(office.get(f"/registrations/{onboarding_id}/part"))
    assert "Aangemeld bij KING" in part
    assert "M. Voorbeeld" in part


def test_a_form_that_is_sent_twice_decides_once(api: Api, staff: Staffing) -> None:
    onboarding_id = sign_up(api)
    office = staff()
    key = {"form_key": "7d9c2f2e-0000-4000-8000-00000000aaaa"}
    answers = [office.post(f"/registrations/{onboarding_id}/register", key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]


def form_fields(html: str) -> dict[str, object]:
    """What stands in the fields of the form for corrections."""
    import re
    from html import unescape

    fields: dict[str, object] = {
        unescape(name): unescape(value)
        for name, value in re.findall(
            r'<input id="field-[^"]*" name="([^"]+)"[^>]* value="([^"]*)"', html
        )
    }
    for name, options in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', html, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        fields[name] = chosen[1] if chosen else ""
    fields["package.modules"] = re.findall(r'name="package.modules" value="([^"]+)" checked', html)
    return fields


def test_what_was_noticed_is_read_in_the_language_of_the_reader(api: Api, staff: Staffing) -> None:
    # Given a sign-up with a link in it, of an office that reads Dutch
    onboarding_id = sign_up(api, remarks="zie https://www.bakkerij.example")
    pages = ("/", f"/onboardings/{onboarding_id}", f"/registrations/{onboarding_id}")
    office = staff()
    for page in pages:
        # When somebody there reads English, Then all of the page is in English.
        english = words_of(office.get(page, lang="en"))
        assert "The details hold an internet address" in english, page
        assert "internetadres" not in english, page
        # And whoever reads Dutch has the same in Dutch.
        assert "In de gegevens staat een internetadres" in words_of(office.get(page, lang="nl"))


def test_one_remark_is_called_one_remark(api: Api, staff: Staffing) -> None:
    # Given a sign-up about which one thing was noticed that holds nobody up
    onboarding_id = sign_up(api, remarks="graag bellen")
    office = staff()
    # When the office looks through its list, in either language, Then it reads of that one thing.
    for language, told in (("nl", "1 opmerking"), ("en", "1 remark")):
        page = office.get("/registrations", lang=language).text
        row = page[page.index(f"/registrations/{onboarding_id}") :].partition("</tr>")[0]
        assert f">{told}<" in row
