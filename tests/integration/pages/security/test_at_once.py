"""The same thing at the same moment, twice, or with what is somebody else's."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.links import Purpose
from tests.integration.pages.payer.conftest import SIGNED, Payer, payer_on
from tests.integration.pages.security.everything import OWN_FORM, Everything
from tests.servers.premises import wait_until
from tests.visitors import Visitor, staff_visitor

PDF = b"%PDF-1.4\n%%EOF\n"


def at_once(*acts: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """What each is answered when all begin at the same moment."""
    barrier = Barrier(len(acts))

    def begin(act: Callable[[], httpx.Response]) -> httpx.Response:
        barrier.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as people:
        return list(people.map(begin, acts))


@pytest.fixture
def payer(everything: Everything) -> Payer:
    return payer_on(everything.stage, everything.api)


def another(payer: Payer) -> Payer:
    """The same person in another window, with cookies of its own."""
    visitor = Visitor(payer.api.stage.settings, payer.api.address)
    return Payer(payer.api, visitor, payer.onboarding_id, payer.reference, payer.issued_at)


def post(visitor: Visitor, path: str, **fields: Any) -> httpx.Response:
    """A form with the key that is given; nobody follows where it leads."""
    headers = OWN_FORM
    return visitor.http.post(path, data=fields, headers=headers, follow_redirects=False)


def test_two_people_decide_at_once_and_one_of_them_is_told(everything: Everything) -> None:
    # Given sign-ups that wait for their office, and two people who look at them,
    api = everything.api
    api.stage.open_office("0099", review="always")
    anna, bas = (
        staff_visitor(api.stage.settings, api.address, "office", "0099", name)
        for name in ("Anna van Voorbeeld", "Bas Voorbeeld")
    )
    for _ in range(5):
        customer = api.sign_up("0099")
        path = f"/registrations/{customer}"
        wait_until(lambda: api.ask("GET", f"/api{path}").status_code == 200, "heard of", 20)  # noqa: B023
        # When one registers and the other declines at the same moment,
        answers = at_once(
            lambda: anna.post(f"{path}/register"),  # noqa: B023
            lambda: bas.post(f"{path}/decline", reason="Geen klant van ons"),  # noqa: B023
        )
        # Then one of the two is done, and the other is told that it was decided.
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        acts = [act["what"] for act in api.ask("GET", f"/api{path}").json()["acts"]]
        assert len(acts) == 1
        is_registered = answers[0].status_code == 200
        assert acts == ["registration.register" if is_registered else "registration.decline"]


def test_a_signature_given_in_two_windows_is_one(payer: Payer) -> None:
    # Given a payer with the page that asks for the code in two windows,
    page = payer.prepare()
    code = payer.mailed_code()
    windows = [payer, another(payer)]
    # When both send the code at once,
    answers = at_once(*(lambda one=one: one.enter(page, code) for one in windows))
    # Then both are thanked, and it is signed once.
    assert [answer.status_code for answer in answers] == [200, 200]
    order = payer.order()
    assert order.signed
    # When it is sent once more afterwards, Then nothing more is signed.
    assert payer.enter(page, code).status_code == 200
    assert len([signing for signing in payer.signings() if signing.signed_at]) == 1
    assert payer.order().revision == order.revision


def test_codes_that_are_tried_at_once_count_each(payer: Payer) -> None:
    # Given a code that was mailed, and many who guess at the same moment,
    page = payer.prepare()
    code = payer.mailed_code()
    wrong = [f"{(int(code) + number) % 1_000_000:06}" for number in range(1, 13)]
    guessing = [another(payer) for _ in wrong]
    at_once(
        *(
            lambda one=one, guess=guess: one.enter(page, guess)
            for one, guess in zip(guessing, wrong, strict=True)
        )
    )
    # Then five of them were compared, and the right one comes too late.
    assert [signing.tries for signing in payer.signings()] == [5]
    assert payer.enter(page, code).status_code == 422
    assert not payer.order().signed


def test_what_was_agreed_to_is_not_changed_after_the_code_was_sent(payer: Payer) -> None:
    # Given a payer who was sent a code for what they filled in,
    page = payer.prepare()
    code = payer.mailed_code()
    # When another name, place and account come along with the code,
    changed = {"signed_by": "Een Ander", "place": "Elders", "iban": "NL20INGB0001234567"}
    payer.visitor.post(page.url.path, changed, code=code)
    # Then it is signed as it was filled in.
    (signing,) = payer.signings()
    assert (signing.name, signing.place) == (SIGNED["signed_by"], SIGNED["place"])
    assert payer.order().signed_by == SIGNED["signed_by"]


def test_the_form_of_one_order_is_none_of_another(everything: Everything, payer: Payer) -> None:
    # Given a payer with a form, whose key somebody else has got to know,
    other = payer_on(everything.stage, everything.api)
    key = str(uuid4())
    first = post(payer.visitor, f"{payer.path}/online", form_key=key, **SIGNED)
    # When that key is sent for another order, Then that order is prepared like any other:
    second = post(other.visitor, f"{other.path}/online", form_key=key, **SIGNED)
    assert (first.status_code, second.status_code) == (303, 303)
    assert len(payer.signings()) == len(other.signings()) == 1
    # Then nobody is led to what is the other's.
    assert other.open(first.headers["location"].removeprefix(payer.path)).status_code == 404
    assert other.open(second.headers["location"].removeprefix(other.path)).status_code == 200


def test_the_scan_of_one_order_is_none_of_another(everything: Everything, payer: Payer) -> None:
    other = payer_on(everything.stage, everything.api)
    key = str(uuid4())
    # When two orders are sent a scan under the same key, Then each has its own.
    answers: Sequence[httpx.Response] = [
        one.send_scan(content, form_key=key) for one, content in ((payer, PDF), (other, PDF + PDF))
    ]
    assert ["ontvangen" in answer.text for answer in answers] == [True, True]
    assert payer.order().scan_at is not None
    assert other.order().scan_at is not None


def test_one_form_is_one_sign_up_however_often_it_is_sent_at_once(everything: Everything) -> None:
    # Given a form that was filled in,
    company = f"Bakkerij Dubbel {uuid4().hex[:6]}"
    fields = {
        "customer.company": company,
        "customer.legal_form": "bv",
        "customer.kvk": "",
        "customer.address.street": "Dorpsstraat",
        "customer.address.number": "1",
        "customer.address.postcode": "1234 AB",
        "customer.address.city": "Dorp",
        "customer.address.country": "NL",
        "customer.contact.first_name": "Jo",
        "customer.contact.last_name": "Voorbeeld",
        "customer.email": f"{uuid4().hex[:8]}@bakkerij.example",
        "customer.language": "nl",
        "package.code": "basis",
        "payer.kind": "customer",
        "payer.iban": "NL91ABNA0417164300",
        "payer.account_holder": "Bakkerij",
        "preferred_channel": "email",
        "terms.version": everything.api.form()["terms"]["version"],
        "terms.accepted_at": everything.stage.clock().isoformat(),
        "step": "send",
    }
    key = str(uuid4())
    windows = [Visitor(everything.stage.settings, everything.api.address) for _ in range(4)]
    # When it is sent from several windows at the same moment,
    answers = at_once(
        *(lambda one=one: post(one, "/signup/0042", form_key=key, **fields) for one in windows)
    )
    # Then there is one sign-up, and each is thanked for that one.
    assert {answer.status_code for answer in answers} == {303}, answers[0].text
    links = everything.somebody.site.links
    tokens = {answer.headers["location"].rpartition("/")[2] for answer in answers}
    now = everything.stage.clock()
    assert len({links.read(Purpose.STATUS, t, now).claims["sub"] for t in tokens}) == 1


def test_a_form_that_was_sent_with_something_else_says_so_in_words(everything: Everything) -> None:
    # Given a form that was sent, and gone back to,
    customer = everything.api.sign_up("0042")
    everything.api.order_of(customer)
    path, key = f"/onboardings/{customer}/contact", str(uuid4())
    office = everything.staff["activator"]
    first = post(office, path, form_key=key, mobile="0612345671")
    assert first.status_code == 303
    # When it is sent again as it was, Then it leads on again; changed, it says what to do.
    assert post(office, path, form_key=key, mobile="0612345671").status_code == 303
    changed = post(office, path, form_key=key, mobile="0612345672")
    assert changed.status_code == 422
    assert "Dit formulier is al verstuurd" in changed.text
    assert "Idempotency" not in changed.text
