"""Who may sign in, and for how long: what is unclear is refused with a sentence."""

from datetime import timedelta
from typing import Any

import pytest

from services.activation.staff import links
from services.activation.staff.sessions import IDLE, LONGEST, StaffMember, StaffSession
from shared.links import Invalid, PageLinks, Purpose
from shared.processing.testing import MONDAY

KEY = "k" * 40


@pytest.mark.parametrize(("role", "office"), [("office", "0042"), ("activator", "0042")])
def test_an_office_has_its_people(role: str, office: str) -> None:
    assert StaffMember.of(" Anna ", role, office) == StaffMember("Anna", role, office)


@pytest.mark.parametrize("name", ["علی\u200cرضا", "Anna 👩‍🍳", "Anna \U0001fa77"], ids=ascii)
def test_nobody_is_kept_out_for_how_their_name_is_spelt(name: str) -> None:
    assert StaffMember.of(name, "king", None).name == name


@pytest.mark.parametrize("role", ["king", "operator"])
def test_king_and_operators_are_for_all_offices(role: str) -> None:
    assert StaffMember.of("Anna", role, None).office is None


@pytest.mark.parametrize(
    ("name", "role", "office", "sentence"),
    [
        ("Anna", "boss", None, "one of office, activator, king, operator"),
        ("Anna", "", None, "one of office, activator, king, operator"),
        ("Anna", "king", "0042", "for all offices: leave the office out"),
        ("Anna", "operator", "", "for all offices: leave the office out"),
        ("Anna", "office", None, "say which, by its code"),
        ("Anna", "activator", "", "say which, by its code"),
        ("Anna", "activator", " ", "say which, by its code"),
        (" ", "king", None, "a name has 1 to 100 characters"),
        ("A" * 101, "king", None, "a name has 1 to 100 characters"),
        ("Anna\x1b[2J", "king", None, "a name has 1 to 100 characters"),
    ],
)
def test_what_is_unclear_is_refused(
    name: str, role: str, office: str | None, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        StaffMember.of(name, role, office)


def a_session(**changes: Any) -> StaffSession:
    values: dict[str, Any] = {
        "id": "session-1",
        "secret_hash": "",
        "name": "Anna",
        "role": "activator",
        "office": "0042",
        "started_at": MONDAY,
        "last_seen_at": MONDAY,
        "ends_at": MONDAY + LONGEST,
    }
    return StaffSession(**(values | changes))


def test_a_session_ends_an_hour_after_its_holder_was_there_and_after_twelve_hours() -> None:
    instant = timedelta(microseconds=1)
    assert a_session().is_open(MONDAY + IDLE - instant)
    assert not a_session().is_open(MONDAY + IDLE)
    seen_late = a_session(last_seen_at=MONDAY + LONGEST - instant)
    assert seen_late.is_open(MONDAY + LONGEST - instant)
    assert not seen_late.is_open(MONDAY + LONGEST)


def test_a_role_that_is_no_more_lets_nobody_in() -> None:
    assert not a_session(role="boss").is_open(MONDAY)


def test_a_link_says_whom_it_signs_in_and_each_is_another() -> None:
    pages = PageLinks("https://stappenplan.example", [KEY])
    anna = StaffMember("Anna", "activator", "0042")
    (path, link_id), (_, other_id) = (links.make(pages, anna, MONDAY) for _ in range(2))
    signed = pages.read(Purpose.STAFF, path.removeprefix("/staff/"), MONDAY)
    assert links.member_of(signed) == anna
    assert signed.claims["id"] == link_id != other_id


def test_a_link_for_a_role_that_is_no_more_is_none() -> None:
    pages = PageLinks("https://stappenplan.example", [KEY])
    path, _ = links.make(pages, StaffMember("Anna", "boss", None), MONDAY)
    signed = pages.read(Purpose.STAFF, path.removeprefix("/staff/"), MONDAY)
    with pytest.raises(Invalid):
        links.member_of(signed)
