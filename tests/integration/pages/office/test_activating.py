"""Activating from the pages: one customer, once more, and a selection at once."""

import re
from typing import Any
from uuid import uuid4

import httpx

from tests.integration.http.conftest import Api
from tests.integration.pages.office.conftest import Staffing
from tests.servers.premises import wait_until
from tests.visitors import Visitor, words_of


def sent_until_now(api: Api, kind: str = "credentials") -> int:
    """How many mails and texts with credentials have left."""
    files = list(api.stage.settings.data_dir.rglob(f"*-{kind}-*"))
    return len([path for path in files if path.suffix in (".eml", ".txt")])


def arrives(api: Api, onboarding_id: str) -> None:
    api.waits_for(onboarding_id, "login_expected")


def activate(visitor: Visitor, onboarding_id: str, **fields: Any) -> httpx.Response:
    return visitor.post(f"/onboardings/{onboarding_id}/activate", {"channel": "email"} | fields)


def test_the_address_and_what_is_sent_are_shown_before_anything_leaves(
    api: Api, staff: Staffing
) -> None:
    # Given a customer who is released and prefers text messages
    form = api.form()
    form["customer"] |= {"email": "anna@bakkerij.example", "mobile": "+31612345678"}
    released = api.release(customer=form["customer"], preferred_channel="sms")
    before = sent_until_now(api)
    # When an activator opens the page
    page = staff().get(f"/onboardings/{released}/activate")
    # Then number and address are there in full, the customer's own choice is made,
    assert "Per sms naar +31612345678" in words_of(page)
    assert "Per e-mail naar anna@bakkerij.example" in words_of(page)
    assert re.search(r'value="sms" checked', page.text)
    # the message is shown with dots for its password, and nothing has left.
    assert "....-....-....-...." in page.text
    assert sent_until_now(api) == before


def test_what_was_ordered_is_followed_until_it_has_left(api: Api, staff: Staffing) -> None:
    released = api.release()
    done = activate(staff(), released)
    assert str(done.url).endswith(f"/onboardings/{released}?done=ordered")
    assert "inloggegevens zijn besteld" in words_of(done)
    arrives(api, released)
    shown = words_of(staff().get(f"/onboardings/{released}"))
    assert "Verstuurd per e-mail, besteld door M. Voorbeeld" in shown
    assert "Het eenmalige wachtwoord verloopt" in shown


def test_without_a_channel_nothing_is_sent(api: Api, staff: Staffing) -> None:
    released = api.release()
    for channel in ("", "pigeon"):
        answer = activate(staff(), released, channel=channel)
        assert answer.status_code == 422
        assert "Kies hoe u de inloggegevens verstuurt" in words_of(answer)
    assert api.stage.blockers(released) == ["ready_to_activate"]


def test_two_people_who_press_at_once_send_one_message(api: Api, staff: Staffing) -> None:
    # Given a customer whom two colleagues have before them
    released = api.release()
    before = sent_until_now(api)
    anna, bram = staff(name="A. Jansen"), staff(name="B. Peters")
    for colleague in (anna, bram):
        assert colleague.get(f"/onboardings/{released}/activate").status_code == 200
    # When both press
    activate(anna, released)
    refused = activate(bram, released)
    # Then the second is told who was first and when, and one message has left.
    assert refused.status_code == 409
    told = words_of(refused)
    assert re.search(
        r"(worden al verstuurd|zijn al verstuurd) door A\. Jansen, \w+ \d\d:\d\d", told
    )
    arrives(api, released)
    assert sent_until_now(api) == before + 1


def test_a_form_that_is_sent_twice_sends_one_message(api: Api, staff: Staffing) -> None:
    released, key = api.release(), str(uuid4())
    before = sent_until_now(api)
    for _ in range(2):
        assert activate(staff(), released, form_key=key).status_code == 200
    arrives(api, released)
    assert sent_until_now(api) == before + 1


def test_what_was_just_sent_is_given_time_to_arrive(api: Api, staff: Staffing) -> None:
    # Given a customer to whom it was sent a moment ago
    released = api.release()
    activate(staff(), released)
    arrives(api, released)
    # When somebody wants to send it again, Then the page says from when,
    page = staff().get(f"/onboardings/{released}/activate", lang="en")
    assert re.search(r"they can be sent again after \d\d:\d\d", words_of(page))
    assert 'name="channel"' not in page.text
    # and whoever had the form open is refused, whatever they chose.
    refused = activate(staff(), released, channel="email", again="yes")
    assert refused.status_code == 409
    assert "heeft ze net verstuurd" in words_of(refused)


def test_a_corrected_address_may_be_sent_to_at_once(api: Api, staff: Staffing) -> None:
    released = api.release()
    activate(staff(), released)
    arrives(api, released)
    staff().post(f"/onboardings/{released}/contact", email="beter@bakkerij.example")
    api.waits_for(released, "undeliverable")
    page = staff().get(f"/onboardings/{released}/activate")
    assert "Per e-mail naar beter@bakkerij.example" in words_of(page)
    activate(staff(), released, again="yes" if 'name="again"' in page.text else "")
    arrives(api, released)


def test_who_is_not_ready_is_not_sent_anything_and_the_page_says_why(
    api: Api, staff: Staffing
) -> None:
    unsigned = api.sign_up()
    order = api.order_of(unsigned)
    page = staff().get(f"/onboardings/{unsigned}/activate")
    assert f"incassobevestiging {order}. (aan zet: betaler)" in words_of(page)
    assert 'name="channel"' not in page.text
    refused = activate(staff(), unsigned)
    assert refused.status_code == 409
    assert "kan nog niet worden geactiveerd" in words_of(refused)


def test_a_selection_is_checked_sent_and_followed_to_its_end(api: Api, staff: Staffing) -> None:
    # Given two customers who are released, and one who is not
    ready, late = [api.release() for _ in range(2)], api.sign_up()
    api.order_of(late)
    visitor = staff()
    # When somebody selects them, Then those who can be are shown with their addresses.
    checked = visitor.http.get("/activations", params=[("id", one) for one in (*ready, late)])
    assert checked.text.count(' name="id"') == 2
    assert "Deze niet" in words_of(checked)
    # When they are sent, twice with the same form,
    before, key = sent_until_now(api), str(uuid4())
    pages = [visitor.post("/activations", {"id": ready, "form_key": key}) for _ in range(2)]
    assert pages[0].url == pages[1].url
    # Then each gets one message, and the page tells of each until all are done.
    for onboarding_id in ready:
        arrives(api, onboarding_id)
    followed = visitor.get(pages[0].url.path)
    assert "2 van 2 klaar" in words_of(followed)
    assert sent_until_now(api) == before + 2
    # Nobody else's office can look at it.
    for part in ("", "/progress", "/changes"):
        other = staff("activator", "0088").get(f"{pages[0].url.path}{part}")
        assert other.status_code == 404


def test_of_a_selection_each_refusal_is_told_with_its_reason(api: Api, staff: Staffing) -> None:
    # Given a selection of which one was activated meanwhile, and one is not ready
    first, late = api.release(), api.sign_up()
    api.order_of(late)
    activate(staff(name="A. Jansen"), first)
    # When it is sent
    page = staff().post("/activations", {"id": [first, late]})
    # Then the page says of each what became of it.
    assert "was al verstuurd" in words_of(page)
    assert "kan nog niet worden geactiveerd" in words_of(page)
    assert "2 van 2 klaar" in words_of(page)


def test_a_selection_of_anothers_customers_is_not_there(api: Api, staff: Staffing) -> None:
    released = api.release()
    other = staff("activator", "0088")
    assert other.post("/activations", {"id": [released]}).status_code == 404
    assert staff("office").post("/activations", {"id": [released]}).status_code == 403
    assert api.stage.blockers(released) == ["ready_to_activate"]
    assert staff().post("/activations", {"id": ["x"]}).status_code == 422
    too_many = [str(uuid4()) for _ in range(51)]
    assert staff().post("/activations", {"id": too_many}).status_code == 422


def test_an_open_selection_hears_of_its_progress(api: Api, staff: Staffing) -> None:
    released = api.release()
    visitor = staff()
    page = visitor.post("/activations", {"id": [released]})
    arrives(api, released)
    address = page.url.path
    part = visitor.http.get(f"{address}/progress", headers={"HX-Request": "true"})
    assert "<html" not in part.text
    assert "1 van 1 klaar" in part.text
    with visitor.http.stream("GET", f"{address}/changes", params={"since": "before"}) as stream:
        line = next(line for line in stream.iter_lines() if line.startswith("event"))
    assert line == "event: changed"
    wait_until(lambda: "verstuurd" in words_of(visitor.get(address)), "it is told as sent", 5)
