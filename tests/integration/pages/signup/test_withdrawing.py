"""A customer withdraws, by a link from a mail."""

from datetime import timedelta
from uuid import uuid4

from shared.host.runtime import utc_now
from shared.links import Purpose
from tests.e2e.stage import Stage
from tests.integration.http.conftest import Api
from tests.visitors import Visitor, words_of


def link(customer: Visitor, onboarding_id: str, days_ago: int = 0) -> str:
    """The path of the page, as it stands in a mail of that day."""
    at = utc_now() - timedelta(days=days_ago)
    return customer.site.links.path(Purpose.WITHDRAW, onboarding_id, at)


def test_opening_the_page_says_what_stops_and_changes_nothing(
    customer: Visitor, api: Api, stage: Stage
) -> None:
    # Given a customer on their way, When they (or a scanner of mails) open the link
    onboarding_id = api.sign_up()
    page = customer.get(link(customer, onboarding_id))
    # Then they read what would stop, and nothing has.
    assert "Wat er stopt" in words_of(page)
    assert "Er wordt niets meer geïncasseerd" in words_of(page)
    assert page.headers["referrer-policy"] == "no-referrer"
    api.waits_for(onboarding_id, "signature_missing")


def test_a_customer_withdraws_and_reads_that_it_stopped(
    customer: Visitor, api: Api, stage: Stage
) -> None:
    # Given a customer on their way
    onboarding_id = api.sign_up()
    path = link(customer, onboarding_id)
    # When they withdraw, twice as impatient people do
    key = str(uuid4())
    answer = customer.post(path, reason="Toch geen webwinkel", form_key=key)
    again = customer.post(path, reason="Toch geen webwinkel", form_key=key)
    # Then they read that it stopped, and it has.
    assert "Uw inschrijving is ingetrokken" in words_of(answer)
    api.waits_for(onboarding_id, "withdrawn")
    # And the link of before holds no longer.
    assert "Deze link is verlopen" in words_of(again)
    assert "Deze link is verlopen" in words_of(customer.get(path))


def test_what_the_office_stopped_is_shown_as_stopped(customer: Visitor, api: Api) -> None:
    onboarding_id = api.sign_up()
    api.ask("POST", f"/api/signups/{onboarding_id}/withdraw", json={"reason": "op verzoek"})
    shown = words_of(customer.get(link(customer, onboarding_id)))
    assert "Uw inschrijving is ingetrokken" in shown


def test_a_reason_with_a_citizen_number_is_not_taken(customer: Visitor, api: Api) -> None:
    path = link(customer, api.sign_up())
    answer = customer.post(path, reason="mijn bsn is 111222333")
    assert answer.status_code == 422
    assert "zonder burgerservicenummer" in words_of(answer)
    assert "Wat er stopt" in words_of(customer.get(path))


def test_an_old_link_offers_a_new_one_to_the_address_that_is_known(
    customer: Visitor, api: Api, stage: Stage
) -> None:
    # Given a link whose time is over
    form = api.form()
    onboarding_id = api.sign_up(customer=form["customer"])
    path = link(customer, onboarding_id, days_ago=91)
    # When it is opened, Then it says so at once, and to whom a new one would go
    page = customer.get(path)
    assert page.status_code == 410
    assert "Deze link is verlopen" in words_of(page)
    local, _, domain = form["customer"]["email"].partition("@")
    assert f"{local[0]}***@{domain}" in words_of(page)
    assert form["customer"]["email"] not in page.text
    # When one is asked for again and again
    answers = [customer.post(f"{path}/new-link") for _ in range(3)]
    # Then each answer is the same, and one is on its way.
    assert {words_of(answer) for answer in answers} == {words_of(answers[0])}
    assert "Kijk in uw e-mail" in words_of(answers[0])


def test_a_link_to_another_page_opens_nothing(customer: Visitor, api: Api) -> None:
    links = customer.site.links
    status = links.path(Purpose.STATUS, api.sign_up(), utc_now()).rpartition("/")[2]
    assert customer.get(f"/withdraw/{status}").status_code == 404
    assert customer.get("/withdraw/nothing.at-all").status_code == 404
    assert customer.get(link(customer, str(uuid4()))).status_code == 404
