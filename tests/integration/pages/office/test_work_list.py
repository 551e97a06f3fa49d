"""The work list: what is due for whom, and how one customer is found among all."""

import threading
from datetime import UTC, datetime

import httpx
import pytest

from tests.integration.http.conftest import Api
from tests.integration.pages.office.conftest import Staffing
from tests.visitors import Visitor, words_of


def company_of(api: Api, onboarding_id: str) -> str:
    return str((api.stage.onboarding(onboarding_id) or {})["company"])


def part_of(page: str, heading: str) -> str:
    """What stands below a heading of the page, up to the next one."""
    return page.partition(f"<h2>{heading}")[2].partition("<h2>")[0]


def test_each_role_sees_first_what_is_due_for_it(api: Api, staff: Staffing) -> None:
    # Given a sign-up to check, and a customer who is released
    waiting = api.sign_up("0077")
    api.waits_for(waiting, "review")
    released = api.release()
    # When the office that must check, an activator and an office without that right look
    checker, activator = staff("office", "0077").get("/"), staff().get("/")
    office = staff("office").get("/")
    # Then each has what is theirs to do, and the others have it in a list beside.
    assert company_of(api, waiting) in part_of(checker.text, "Controleren en aanmelden")
    assert company_of(api, released) in part_of(activator.text, "Activeren")
    assert part_of(office.text, "Activeren") == ""
    assert "/?group=activate" in office.text
    # And nobody sees another office's customers.
    assert company_of(api, waiting) not in activator.text


def test_no_office_sees_anothers_customers_in_any_list(api: Api, staff: Staffing) -> None:
    # Given two offices, each with a sign-up to check
    own, anothers = api.sign_up("0066"), api.sign_up("0077")
    for onboarding_id in (own, anothers):
        api.waits_for(onboarding_id, "review")
    # When one of them opens its work list, a group of it, and looks for a word that both bear
    office = staff("office", "0066")
    for query in ({}, {"group": "check"}, {"step": "AANMELDEN"}, {"q": company_of(api, anothers)}):
        shown = office.get("/", **query).text
        # Then it never meets the other's.
        assert f"/onboardings/{anothers}" not in shown
        assert (f"/onboardings/{own}" in shown) is ("q" not in query)
    # KING sees both, or those of one office.
    assert f"/onboardings/{anothers}" in staff("king").get("/", group="check", office="0077").text


def test_nothing_to_do_is_said_in_words(staff: Staffing) -> None:
    shown = words_of(staff("office", "0088").get("/"))
    assert "er is nu niets te doen" in shown
    assert "nog niemand ingeschreven" in shown


def test_a_customer_is_found_by_name_reference_and_address(api: Api, staff: Staffing) -> None:
    # Given a customer among others
    form = api.form()
    form["customer"] |= {"company": "Zadelmakerij De Teugel", "email": "teugel@zadel.example"}
    onboarding_id = api.sign_up(customer=form["customer"])
    order = api.order_of(onboarding_id)
    # When somebody types what they know of them
    for text in ("teugel", "TEUGEL@zadel", order, order.lower()):
        shown = staff().get("/", q=text)
        # Then they are found.
        assert f"/onboardings/{onboarding_id}" in shown.text, text
    # And who is another office's is not.
    assert "Niemand gevonden" in words_of(staff("office", "0088").get("/", q="teugel"))


@pytest.mark.parametrize("company", ["👩‍🍳 Visrokers", "Visrokers 🩷", "Visrokers عربی\u200cزبان"])
def test_a_customer_is_found_by_a_name_copied_from_the_list(
    api: Api, staff: Staffing, company: str
) -> None:
    # Given a customer whose name has signs that our normal form keeps
    form = api.form()
    form["customer"] |= {"company": company}
    form["payer"] |= {"account_holder": "J. Voorbeeld"}
    onboarding_id = api.sign_up(**form)
    api.order_of(onboarding_id)
    # When it is copied from the list into the field above it
    page = staff().get("/", q=company)
    # Then they are found.
    assert page.status_code == 200
    assert f"/onboardings/{onboarding_id}" in page.text


@pytest.mark.parametrize("text", ["vis\x07", "vis\u202e", "x" * 201])
def test_what_no_field_takes_is_not_looked_for(staff: Staffing, text: str) -> None:
    assert staff().get("/", q=text).status_code == 422


def test_filters_stand_in_the_address_and_blank_ones_ask_for_nothing(
    api: Api, staff: Staffing
) -> None:
    unsigned = api.sign_up()
    api.order_of(unsigned)
    shown = staff().get("/", q="", step="BEVESTIGEN", actor="payer", office="")
    assert f"/onboardings/{unsigned}" in shown.text
    assert '<option value="BEVESTIGEN" selected>' in shown.text
    grouped = staff("king").get("/", group="unsigned", office="0042")
    assert f"/onboardings/{unsigned}" in grouped.text
    assert f"/onboardings/{unsigned}" not in staff("king").get("/", office="0088").text


@pytest.mark.parametrize("query", [{"step": "ELDERS"}, {"group": "x"}, {"after": "x", "q": "a"}])
def test_a_filter_that_there_is_not_is_refused(staff: Staffing, query: dict[str, str]) -> None:
    assert staff().get("/", **query).status_code == 422


def test_another_offices_list_is_not_there(staff: Staffing) -> None:
    for path in ("/", "/onboardings/list", "/onboardings/changes"):
        assert staff().get(path, office="0088").status_code == 404


def test_more_customers_than_a_page_holds_go_on_on_the_next(api: Api, staff: Staffing) -> None:
    # Given more sign-ups of one office than a page shows
    ids = [api.sign_up("0077") for _ in range(52)]
    for onboarding_id in ids:
        api.waits_for(onboarding_id, "review")
    visitor = staff("office", "0077")
    # When somebody opens the group, and its next page
    first = visitor.get("/", group="check")
    link = first.text.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
    second = visitor.get(link.replace("&amp;", "&"))
    # Then all of them are on one of the two, who waits longest first.
    shown = first.text + second.text
    assert all(f"/onboardings/{onboarding_id}" in shown for onboarding_id in ids)
    assert f"/onboardings/{ids[-1]}" not in first.text


def test_a_new_sign_up_is_told_to_an_open_page_within_two_seconds(
    api: Api, staff: Staffing
) -> None:
    # Given an open work list
    visitor = staff("office", "0077")
    page = visitor.get("/")
    address = page.text.partition('hx-sse:connect="')[2].partition('"')[0].replace("&amp;", "&")
    heard: list[datetime] = []
    is_open = threading.Event()
    listener = threading.Thread(target=listen, args=(visitor, address, heard, is_open))
    listener.start()
    assert is_open.wait(5)
    # When somebody signs up
    onboarding_id = api.sign_up("0077")
    api.waits_for(onboarding_id, "review")
    known_at = datetime.now(UTC)
    listener.join(10)
    # Then the page hears of it in time, and what it fetches has them in it.
    assert len(heard) == 1
    assert (heard[0] - known_at).total_seconds() < 2
    assert f"/onboardings/{onboarding_id}" in visitor.get("/onboardings/list").text


def listen(visitor: Visitor, address: str, heard: list[datetime], is_open: threading.Event) -> None:
    with visitor.http.stream("GET", address, timeout=httpx.Timeout(10)) as stream:
        is_open.set()
        for line in stream.iter_lines():
            if line.startswith("event: changed"):
                heard.append(datetime.now(UTC))
                return


def test_a_part_is_fetched_alone_and_opens_as_a_page(staff: Staffing) -> None:
    visitor = staff()
    alone = visitor.http.get("/onboardings/list", headers={"HX-Request": "true"})
    assert "<html" not in alone.text
    assert "<html" in visitor.get("/onboardings/list").text


def test_nobody_who_is_not_signed_in_sees_the_list(api: Api) -> None:
    visitor = Visitor(api.stage.settings, api.stage.addresses["activation"])
    visitor.http.follow_redirects = False
    answer = visitor.get("/onboardings/list")
    assert answer.status_code == 303
    assert "/staff/" in answer.headers["location"]
