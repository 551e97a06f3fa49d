"""The customer's page: where things stand, whom they wait for, and what the customer can do."""

import re
from html import unescape
from urllib.parse import urljoin
from uuid import uuid4

import pytest

from tests.integration.http.conftest import Api
from tests.integration.pages.status.conftest import Customer
from tests.servers.premises import wait_until
from tests.visitors import words_of


def test_the_page_says_whose_turn_it_is_at_each_step(api: Api, customer: Customer) -> None:
    # Given a customer of an office that checks each sign-up
    onboarding_id = api.to_check("0077")
    link = customer.link(onboarding_id)
    # Then their page says that the office is next, and that they need do nothing.
    page = words_of(customer.get(link))
    assert "Uw kantoor controleert uw gegevens" in page
    assert "Aan zet: Administratiekantoor Voorbeeld" in page
    # When the office has registered them
    api.ask("POST", f"/api/registrations/{onboarding_id}/register")
    api.order_of(onboarding_id)
    # Then the customer, who pays, is led to the document to sign.
    answer = customer.get(link)
    assert "Wij wachten op de handtekening" in words_of(answer)
    assert 'href="/sign/' in answer.text
    assert "Er gaat" in words_of(answer) or "herinnering" in words_of(answer)


def test_a_sign_up_that_is_not_known_yet_is_one_moment_away(customer: Customer) -> None:
    answer = customer.get(customer.link(str(uuid4())))
    assert answer.status_code == 200
    assert "Nog een ogenblik" in words_of(answer)
    assert 'http-equiv="refresh"' in answer.text


def test_a_link_tells_nobody_where_it_was_opened(api: Api, customer: Customer) -> None:
    answer = customer.get(customer.link(api.sign_up("0042")))
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


def test_the_office_may_say_no_and_the_customer_reads_why(api: Api, customer: Customer) -> None:
    onboarding_id = api.to_check("0077")
    api.ask("POST", f"/api/registrations/{onboarding_id}/decline", json={"reason": "Geen klant"})
    api.waits_for(onboarding_id, "declined")
    page = words_of(customer.get(customer.link(onboarding_id)))
    assert "afgewezen" in page
    assert "Geen klant" in page


def test_a_form_with_a_fault_can_be_read_in_the_other_language(
    api: Api, customer: Customer
) -> None:
    # Given a customer who is shown their page anew, since what they typed is no address
    link = customer.link(api.sign_up("0042"))
    wrong = customer.post(f"{link}/contact", email="geen adres")
    # When they choose English there, Then it is their page, in English.
    found = re.search(r'class="language" href="([^"]+)"', wrong.text)
    assert found, wrong.text
    answer = customer.get(urljoin(f"{link}/contact", unescape(found[1])))
    assert (answer.status_code, 'lang="en"' in answer.text) == (200, True)


def test_a_customer_corrects_their_address_and_older_links_are_over(
    api: Api, customer: Customer
) -> None:
    # Given a customer who mistyped their address, and the link that was mailed there
    onboarding_id = api.sign_up("0042")
    link = customer.link(onboarding_id)
    api.order_of(onboarding_id)
    # When they correct it
    wrong = customer.post(f"{link}/contact", email="geen adres", mobile="020 1234567")
    answer = customer.post(f"{link}/contact", email="nieuw@bakkerij.example", mobile="")
    # Then what cannot be is told beside its field,
    assert wrong.status_code == 422
    assert 'value="geen adres"' in wrong.text
    # their page goes on under a new link,
    assert "Eerdere links werken niet meer" in words_of(answer)
    assert "nieuw@bakkerij.example" in words_of(answer)
    # and the link that went to the old mailbox opens nothing any more.
    over = customer.get(link)
    assert over.status_code == 410
    assert "n***@bakkerij.example" in words_of(over)
    assert "nieuw@bakkerij.example" not in over.text
    later = customer.post(f"{link}/contact", email="dief@elders.example")
    assert later.status_code == 410
    assert (
        api.ask("GET", f"/api/onboardings/{onboarding_id}/history").json()[-1]["by"] == "customer"
    )


def test_an_expired_link_brings_a_new_one_to_the_known_address_once(
    api: Api, customer: Customer
) -> None:
    # Given a link of a mail of 91 days ago
    onboarding_id = api.sign_up("0042")
    link = customer.link(onboarding_id, days_ago=91)
    api.order_of(onboarding_id)
    over = customer.get(link)
    assert over.status_code == 410
    assert "Stuur mij een nieuwe link" in words_of(over)
    # When its holder asks for a new one, three times
    answers = [customer.post(f"{link}/new-link") for _ in range(3)]
    # Then each time they are told the same,
    assert {words_of(answer) for answer in answers} == {words_of(answers[0])}
    assert "Kijk in uw e-mail" in words_of(answers[0])
    # and one mail goes out.
    folder = api.stage.settings.data_dir / "mail"
    wait_until(lambda: list(folder.glob("*page_link*")) != [], "the new link is mailed", 20)
    assert len(list(folder.glob("*page_link*"))) <= 2  # Ten minutes may turn in between.


def test_whoever_has_a_link_that_holds_is_mailed_no_other(api: Api, customer: Customer) -> None:
    onboarding_id = api.sign_up("0042")
    link = customer.link(onboarding_id)
    api.order_of(onboarding_id)
    answer = customer.post(f"{link}/new-link")
    assert "Kijk in uw e-mail" not in words_of(answer)
    assert str(answer.url).endswith(link)


@pytest.mark.parametrize("token", ["x", "a.b", "a%2Fb", "%2e%2e"])
def test_what_is_no_link_leads_nowhere(customer: Customer, token: str) -> None:
    assert customer.get(f"/status/{token}").status_code == 404


def test_after_activation_the_office_alone_changes_the_address(
    api: Api, customer: Customer
) -> None:
    # Given a customer to whom credentials were sent
    onboarding_id = api.release()
    api.ask("POST", f"/api/activations/{onboarding_id}", json={"channel": "email"})
    api.waits_for(onboarding_id, "login_expected")
    link = customer.link(onboarding_id)
    page = customer.get(link)
    assert "U kunt inloggen" in words_of(page)
    assert 'href="/login"' in page.text
    # When whoever holds the link would have them go elsewhere
    answer = customer.post(f"{link}/contact", email="dief@elders.example")
    # Then nothing changes.
    assert answer.status_code == 409
    assert "al verstuurd" in words_of(answer)
    assert "dief@elders.example" not in customer.get(link).text


def test_a_withdrawn_customer_is_told_that_nothing_more_is_collected(
    api: Api, customer: Customer
) -> None:
    onboarding_id = api.sign_up("0042")
    api.order_of(onboarding_id)
    before = customer.link(onboarding_id)
    api.ask("POST", f"/api/signups/{onboarding_id}/withdraw", json={"reason": "Toch niet"})
    api.waits_for(onboarding_id, "withdrawn")
    page = words_of(customer.get(customer.link(onboarding_id)))
    assert "Uw inschrijving is ingetrokken" in page
    assert "Mijn inschrijving intrekken" not in page
    assert customer.get(before).status_code == 410
