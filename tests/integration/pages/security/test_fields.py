"""Fields with what no field takes: each refusal is told beside its field, and nothing is done."""

import re
from collections.abc import Mapping

import httpx
import pytest

from shared.links import Purpose
from tests.integration.pages.security.everything import Everything
from tests.servers.premises import wait_until
from tests.visitors import Visitor, staff_visitor

UNFIT: Mapping[str, str] = {
    "turned around": "Bakkerij \N{RIGHT-TO-LEFT OVERRIDE}gpj.exe",
    "a second line": "Bakkerij\r\nBcc: iedereen@elders.example",
    "an escape": "Bakkerij \x1b[2J",
    "endless": "a" * 5_000,
}


def told_beside(answer: httpx.Response, field: str) -> bool:
    """Whether the page says beside this field that something is wrong with it."""
    beside = re.search(rf'id="error-{field}">[^<]+<', answer.text.replace(".", "-"))
    return answer.status_code == 422 and beside is not None


@pytest.fixture(scope="module")
def to_check(everything: Everything) -> str:
    """A sign-up that waits for the check of its office."""
    everything.stage.open_office("0042", review="always")
    try:
        onboarding_id = everything.api.sign_up("0042")
    finally:
        everything.stage.open_office("0042")
    path = f"/api/registrations/{onboarding_id}"
    wait_until(lambda: everything.api.ask("GET", path).status_code == 200, "it is heard of", 20)
    everything.prepare()
    return onboarding_id


@pytest.fixture
def office(everything: Everything) -> Visitor:
    return everything.staff["activator"]


@pytest.mark.parametrize("text", UNFIT)
@pytest.mark.parametrize("field", ["customer.company", "customer.contact.last_name", "payer.name"])
def test_a_correction_is_refused_in_words(
    everything: Everything, office: Visitor, to_check: str, field: str, text: str
) -> None:
    before = everything.written()
    # When the office corrects a sign-up with what no name can hold,
    fields = {field: UNFIT[text], "payer.kind": "other"}
    answer = office.post(f"/registrations/{to_check}/correct", fields)
    # Then it is told so beside that field, and nothing was changed.
    assert told_beside(answer, field.replace(".", "-"))
    assert everything.written() == before


@pytest.mark.parametrize("choice", ["customer.legal_form", "package.code", "payer.kind"])
def test_a_choice_that_there_is_not_is_refused_in_words(
    office: Visitor, to_check: str, choice: str
) -> None:
    answer = office.post(f"/registrations/{to_check}/correct", {choice: '"><script>'})
    assert told_beside(answer, choice.replace(".", "-"))
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize("reason", [*UNFIT.values(), "BSN 123456782", "\N{ZERO WIDTH SPACE}"])
def test_a_reason_is_refused_by_the_very_rule_of_programs(
    everything: Everything, office: Visitor, to_check: str, reason: str
) -> None:
    # Given a reason that programs may not give,
    path = f"/registrations/{to_check}/decline"
    assert everything.api.ask("POST", f"/api{path}", json={"reason": reason}).status_code == 422
    # When the office gives it on the page, Then it is told so beside the field.
    assert told_beside(office.post(path, reason=reason), "reason")


def test_a_base_administration_is_refused_by_the_very_rule_of_programs(
    everything: Everything,
) -> None:
    # Given a customer without books, since the base that they were to be copied from is not there,
    api = everything.api
    api.stage.open_office("0088", base_administration="bestaat-niet")
    customer = api.sign_up("0088")
    api.waits_for(customer, "administration_failed")
    office = staff_visitor(api.stage.settings, api.address, "office", "0088")
    for base in UNFIT.values():
        # When one is chosen that programs may not choose,
        path = f"/registrations/{customer}/administration"
        body = {"base_administration": base}
        assert api.ask("POST", f"/api{path}", json=body).status_code == 422
        # Then it is told so beside the field.
        assert told_beside(office.post(path, base_administration=base), "base_administration")


@pytest.mark.parametrize("address", [*UNFIT.values(), "a@b", "a@b.nl\N{RIGHT-TO-LEFT OVERRIDE}"])
def test_an_address_is_refused_alike_from_staff_and_from_the_customer(
    everything: Everything, office: Visitor, address: str
) -> None:
    for visitor, path in (
        (office, f"/onboardings/{everything.customer}/contact"),
        (everything.somebody, f"/status/{everything.token(Purpose.STATUS)}/contact"),
    ):
        assert told_beside(visitor.post(path, email=address), "email")
        # What is no field of the form is none, whatever it is called.
        assert told_beside(visitor.post(path, {"email.x": "a@b.nl"}), "email")
