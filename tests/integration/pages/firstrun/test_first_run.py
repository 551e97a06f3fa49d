"""The first run: six doors, customers who are sent through, a mailbox, and things to break."""

import re
from collections.abc import Iterator

import httpx
import pytest

from infra.demo.playground.outage import Outage
from shared.host.settings import Settings
from shared.notifications.senders import make_senders
from shared.notifications.senders.outgoing import Sms
from shared.notifications.senders.protocol import ProviderUnavailable
from tests.e2e.stage import Stage, one_process
from tests.servers.premises import wait_until
from tests.visitors import Visitor, words_of


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """All of it on one machine, with a stand-in for KING, as `make run` starts it."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("first"), http_port=0, log_level="error")
    with one_process(settings, first_run=True) as stage:
        yield stage


@pytest.fixture
def somebody(stage: Stage) -> Visitor:
    return Visitor(stage.settings, stage.addresses["activation"])


@pytest.mark.parametrize(
    ("part", "begins_at"), [("office", "/"), ("king", "/orders"), ("operator", "/operations")]
)
def test_each_door_is_one_click_away(somebody: Visitor, part: str, begins_at: str) -> None:
    # Given somebody in front of the six doors
    doors = somebody.get("/")
    assert "kies een deur" in words_of(doors)
    assert f'action="/demo/enter/{part}"' in doors.text
    # When they open one
    answer = somebody.post(f"/demo/enter/{part}")
    # Then they are signed in, and where that part begins.
    assert answer.history[0].headers["location"] == begins_at
    assert "(proef)" in somebody.get("/").text


def test_the_payers_door_leads_to_whoever_must_sign(stage: Stage, somebody: Visitor) -> None:
    assert "Schrijf eerst een klant in" in words_of(somebody.post("/demo/payer"))


def books_of(somebody: Visitor) -> list[int]:
    """Accepted, arrived, lost, doubled: as the page tells of the books."""
    figures = re.findall(r"<dd>(\d+)</dd>", somebody.get("/demo").text)
    return [int(figure) for figure in figures[:4]]


def test_a_customer_who_is_sent_through_arrives_and_is_in_the_books(
    stage: Stage, somebody: Visitor
) -> None:
    # When somebody sends one customer all the way
    answer = somebody.post("/demo/send", count="1")
    assert "Ze zijn onderweg" in words_of(answer)
    wait_until(lambda: "7 van 7 stappen" in words_of(somebody.get("/demo")), "one arrives", 60)
    # Then the books tell of them once they are closed anew, which they are every second:
    wait_until(lambda: books_of(somebody)[1] >= 1, "the books are closed anew", 60)
    # nothing is lost, nothing comes twice,
    accepted, arrived, lost, doubled = books_of(somebody)
    assert (accepted, lost, doubled) == (arrived, 0, 0)
    # and what ran past is told with its cause.
    page = words_of(somebody.get("/demo"))
    assert "customer.logged_in.v1" in page
    assert "signup.accepted.v1" in page


def test_the_mailbox_shows_mails_with_their_documents(stage: Stage, somebody: Visitor) -> None:
    somebody.post("/demo/send", count="1")
    wait_until(
        lambda: (
            "orderbevestiging" in somebody.get("/mailbox").text.lower()
            or "incassobevestiging" in somebody.get("/mailbox").text.lower()
        ),
        "the confirmation is mailed",
        60,
    )
    # Given the mail with the confirmation
    page = somebody.get("/mailbox").text
    name = next(
        name
        for name in re.findall(r'href="/mailbox/([^"]+)"', page)
        if "order_confirmation" in name
    )
    letter = somebody.get(f"/mailbox/{name}")
    # Then it is shown in a frame of its own, which may do nothing,
    assert f'src="/mailbox/{name}/html"' in letter.text
    assert "frame-src 'self'" in letter.headers["content-security-policy"]
    frame = somebody.get(f"/mailbox/{name}/html").headers["content-security-policy"]
    assert "sandbox" in frame
    assert "default-src 'none'" in frame
    # with its document, and that document's first page as a picture.
    assert somebody.get(f"/mailbox/{name}/enclosed/0").content.startswith(b"%PDF")
    assert somebody.get(f"/mailbox/{name}/first-page").content.startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["../token.key", "..%2ftoken.key", "token.key", "x.eml", ".eml"])
def test_the_mailbox_opens_nothing_else(somebody: Visitor, name: str) -> None:
    assert somebody.get(f"/mailbox/{name}").status_code == 404


def test_rubbish_becomes_a_dead_letter(stage: Stage, somebody: Visitor) -> None:
    somebody.post("/demo/break/rubbish")
    wait_until(
        lambda: stage.ask("GET", "signup", "/api/signup/dead-letters").json() != [],
        "the rubbish is a dead letter",
        20,
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "stappenplan.example"},
        {"X-Forwarded-For": "203.0.113.7"},
        {"Forwarded": "for=203.0.113.7"},
    ],
)
def test_whoever_comes_from_elsewhere_finds_nothing(
    somebody: Visitor, headers: dict[str, str]
) -> None:
    for path in ("/demo", "/mailbox"):
        answer = somebody.http.get(path, headers=headers)
        assert answer.status_code in (404, 421), path
    own = {"Sec-Fetch-Site": "same-origin", **headers}
    form = {"form_key": "7d9c2f2e-0000-4000-8000-00000000aaaa"}
    answer = somebody.http.post("/demo/enter/king", headers=own, data=form)
    assert answer.status_code in (404, 421)


def test_another_site_opens_no_door(somebody: Visitor) -> None:
    form = {"form_key": "7d9c2f2e-0000-4000-8000-00000000aaaa"}
    answer = somebody.http.post(
        "/demo/enter/king", headers={"Sec-Fetch-Site": "cross-site"}, data=form
    )
    assert answer.status_code == 403


def test_where_people_come_by_an_address_of_their_own_there_is_no_such_page(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("public"),
        http_port=0,
        log_level="error",
        public_url="http://127.0.0.1",
    )
    with one_process(settings, first_run=True) as stage:
        for path in ("/demo", "/mailbox"):
            answer = httpx.get(f"{stage.addresses['activation']}{path}")
            assert answer.status_code == 404


def test_a_mail_service_that_is_away_takes_nothing_until_it_is_back() -> None:
    # Given a mail service that was taken away for twenty seconds
    now = [100.0]
    outage = Outage(seconds=lambda: now[0])
    settings = Settings()
    senders = outage.around(
        make_senders(data_dir=settings.data_dir, mail_from="a@b.example", sms_sender="iMUIS")
    )
    outage.begin(20)
    # When something is to leave, Then it waits,
    with pytest.raises(ProviderUnavailable):
        senders.send(Sms("+31612345678", "x", "key"))
    # and afterwards nothing stands in its way.
    now[0] += 20
    assert outage.remaining == 0
