"""One customer's page: where they stand, what is due, who they are and what happened."""

import pytest

from tests.integration.http.conftest import Api
from tests.integration.pages.office.conftest import Staffing
from tests.visitors import words_of


def test_what_is_due_is_one_button_that_leads_to_where_it_is_done(
    api: Api, staff: Staffing
) -> None:
    # Given customers who wait for a check, a signature, and their login details
    checked, signed, released = api.sign_up("0077"), api.sign_up(), api.release()
    api.waits_for(checked, "review")
    order = api.order_of(signed)
    due = {
        ("office", "0077", checked): f'"/registrations/{checked}">Controleer de inschrijving',
        ("king", None, signed): f'"/orders/{order}">Leg de ondertekening vast',
        ("office", "0042", signed): f'"/orders/{order}">Bekijk de order',
        ("activator", "0042", released): f'"/onboardings/{released}/activate">Verstuur de',
    }
    for (role, office, onboarding_id), button in due.items():
        # When somebody looks who may do it, Then the button leads them there.
        shown = staff(role, office).get(f"/onboardings/{onboarding_id}")
        assert button in shown.text, role
        assert shown.text.count("button--primary") <= 1


def test_who_may_not_activate_is_told_who_does(api: Api, staff: Staffing) -> None:
    released = api.release()
    shown = staff("office").get(f"/onboardings/{released}")
    assert "/activate" not in shown.text
    assert "een collega die mag activeren" in words_of(shown)
    assert f"/onboardings/{released}/contact" in shown.text
    assert staff("office").get(f"/onboardings/{released}/activate").status_code == 403
    for role in ("king", "operator"):
        assert staff(role).get(f"/onboardings/{released}/contact").status_code == 403


def test_the_page_tells_what_is_known_in_both_languages(api: Api, staff: Staffing) -> None:
    # Given a customer whose account is known
    onboarding_id = api.sign_up()
    order = api.order_of(onboarding_id)
    # When somebody opens their page in each language
    dutch = words_of(staff().get(f"/onboardings/{onboarding_id}"))
    english = words_of(staff().get(f"/onboardings/{onboarding_id}", lang="en"))
    # Then it says what is waited for, and what happens by itself;
    assert f"Wacht op de ondertekende order-/incassobevestiging {order}." in dutch
    assert "Aan zet: betaler" in dutch
    assert f"Waiting for the signed order and direct-debit confirmation {order}." in english
    assert dutch.count("De betaler krijgt een herinnering") == 3
    # the steps bear their Dutch names, explained in English;
    assert "BEVESTIGEN · confirmation" in english
    # and of the account there are four characters.
    assert "eindigt op 4300" in dutch
    assert "NL91ABNA0417164300" not in dutch


def test_the_line_of_time_has_acts_events_and_mails_in_one(api: Api, staff: Staffing) -> None:
    released = api.release()
    shown = words_of(staff().get(f"/onboardings/{released}"))
    story = shown.partition("Wat er gebeurd is")[2]
    assert "klaar om te activeren" in story
    assert story.index("Vrijgegeven") < story.index("Bij KING aangemeld")
    # What was said in one transaction stands in the order of the steps.
    assert story.index("Vrijgegeven") < story.index("Incassoresultaat geboekt")
    assert "Bevestiging ondertekend" in story
    assert "per post" in story


def test_what_other_services_show_is_fetched_by_the_browser_or_opened_by_a_link(
    api: Api, staff: Staffing
) -> None:
    onboarding_id = api.sign_up()
    order = api.order_of(onboarding_id)
    shown = staff().get(f"/onboardings/{onboarding_id}").text
    for address in (
        f"/signups/{onboarding_id}/part",
        f"/registrations/{onboarding_id}/part",
        f"/orders/{order}/part",
    ):
        # A part that is away leaves the link where it is.
        assert f'hx-get="{address}" hx-trigger="load, changed from:#live"' in shown
        assert f'<a href="{address}">' in shown
    assert shown.count('hx-status:4xx="swap:none"') == 3


@pytest.mark.parametrize("path", ["", "/standing", "/changes", "/activate", "/contact"])
def test_another_offices_customer_is_not_there(api: Api, staff: Staffing, path: str) -> None:
    onboarding_id = api.sign_up()
    api.waits_for(onboarding_id, "signature_missing")
    other = staff("activator", "0088")
    assert other.get(f"/onboardings/{onboarding_id}{path}").status_code == 404


def test_a_customer_is_found_by_any_reference_in_the_address(api: Api, staff: Staffing) -> None:
    onboarding_id = api.sign_up()
    order = api.order_of(onboarding_id)
    assert staff().get(f"/onboardings/{order}").status_code == 200
    assert staff().get("/onboardings/O-1999-000001").status_code == 404


def test_the_office_corrects_a_contact_by_the_rules_of_the_sign_up(
    api: Api, staff: Staffing
) -> None:
    # Given a customer
    onboarding_id = api.sign_up()
    api.order_of(onboarding_id)
    office, page = staff("office"), f"/onboardings/{onboarding_id}/contact"
    # When the office mistypes both, Then each is said beside its field, and stands there still.
    wrong = office.post(page, email="klant@", mobile="020 1234567")
    assert wrong.status_code == 422
    assert "Dit e-mailadres klopt niet" in words_of(wrong)
    assert "vul een mobiel nummer in" in words_of(wrong)
    assert 'value="klant@"' in wrong.text
    assert "nothing" not in words_of(office.post(page, email=" ", mobile=""))
    # When they are right, Then the customer is reached there, and the page says so.
    done = office.post(page, email="nieuw@bakkerij.example", mobile="06 12345678")
    assert "contactgegevens zijn gewijzigd" in words_of(done)
    assert "nieuw@bakkerij.example" in words_of(done)
    assert "+31612345678" in words_of(done)


def test_what_a_customer_typed_is_no_markup(api: Api, staff: Staffing) -> None:
    form = api.form()
    form["customer"]["company"] = "<img src=x onerror=alert(1)> & Zn"
    onboarding_id = api.sign_up(customer=form["customer"])
    api.waits_for(onboarding_id, "signature_missing")
    for path in (f"/onboardings/{onboarding_id}", "/"):
        shown = staff().get(path).text
        assert "<img" not in shown
        assert "&lt;img src=x onerror=alert(1)&gt; &amp; Zn" in shown
