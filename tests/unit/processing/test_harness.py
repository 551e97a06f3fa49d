"""The harness does with messages what the engine does: what passes in it must pass there."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest

from shared.base.errors import Conflict, Reject
from shared.events import CustomerLoggedIn, CustomerReleased
from shared.events.envelope import Envelope
from shared.processing import (
    Command,
    Effect,
    EventFor,
    Load,
    Loaded,
    Now,
    Numbers,
    RawEvent,
    Scheduled,
    SideEffect,
    by_subject,
    on,
)
from shared.processing.testing import MONDAY, Harness, onboarding
from tests.unit.processing.library import Book, Lend

DAY = timedelta(days=1)
RELEASED = CustomerReleased(order_reference="O-1", revision=1)
SAID = CustomerLoggedIn(login_name="x", first_login_at=MONDAY)


class Bell(SideEffect):
    """An effect of the tests' own."""


class Remind(Command):
    """What the library asks of itself for later."""

    command_type: ClassVar[str] = "book.remind"

    title: str


def take_in(event: CustomerReleased, envelope: Envelope, shelf: Loaded[Book]) -> Sequence[Effect]:
    """Count how often it was heard, in the book's place."""
    book = shelf.get(envelope.subject) or shelf.add(
        Book(onboarding_id=envelope.subject, title=event.order_reference)
    )
    book.place += 1
    return [SAID]


def library(
    lend: Callable[..., Sequence[Effect]] = lambda _command: [],
    remind: Callable[..., Sequence[Effect]] = lambda _command: [],
    *loads: Load,
    **rest: Any,
) -> Harness:
    """A service that takes releases in, and whose other handlers are the test's own."""
    lines = [
        on(CustomerReleased, take_in, loads=[by_subject(Book)]),
        on(Lend, lend, loads=loads or [by_subject(Book)]),
        on(Remind, remind, loads=loads or [by_subject(Book)]),
    ]
    return Harness(lines, **rest)


def test_an_event_has_its_effect_and_what_it_leads_to_is_returned_and_kept() -> None:
    # When an event is heard about two customers,
    service = library()
    heard = service.hear(RELEASED, "bakkerij")
    service.hear(RELEASED, "slager")
    # Then each has a row, and what was said is told each time and in all.
    assert (heard.one(CustomerLoggedIn), heard.events) == (SAID, [SAID])
    assert service.said == [SAID, SAID]
    assert service.row(Book, onboarding_id=onboarding("bakkerij")).place == 1
    assert len(service.rows(Book)) == 2


def test_a_message_that_comes_twice_is_handled_once() -> None:
    service = library()
    # When an event comes twice under one id, and once under another,
    first = service.hear(RELEASED, message="one")
    again = service.hear(RELEASED, message="one")
    service.hear(RELEASED, message="two")
    # Then the second time is as if it had not come.
    assert (first.events, list(again)) == ([SAID], [])
    assert service.row(Book).place == 2
    assert service.said == [SAID, SAID]


@pytest.mark.parametrize("error", [RuntimeError("x"), Reject("x"), Conflict("x", "x")])
def test_what_a_handler_raises_leaves_no_trace(error: Exception) -> None:
    # Given a handler that changes one book, adds another, and raises,
    raises = [error]

    def lend(_command: Lend, envelope: Envelope, shelf: Loaded[Book]) -> Sequence[Effect]:
        for book in shelf:
            book.title, book.reader = "changed", "anna"
        shelf.add(Book(onboarding_id="added"))
        for reason in raises:
            raise reason
        return [SAID, Scheduled(Remind(title="x"), MONDAY, "key")]

    service = library(lend, rows=[Book(onboarding_id=onboarding("bakkerij"), title="before")])
    # When it is asked, Then the caller sees what it raised, and nothing has happened:
    with pytest.raises(type(error)) as raised:
        service.deliver(Lend(title="t"), Lend.command_type, "bakkerij", message="one")
    assert raised.value is error
    (book,) = service.rows(Book)
    assert (book.title, book.reader) == ("before", None)
    assert (service.said, service.scheduled) == ([], {})
    # the same message may come again, and is handled then.
    raises.clear()
    service.deliver(Lend(title="t"), Lend.command_type, "bakkerij", message="one")
    assert {row.onboarding_id: row.title for row in service.rows(Book)} == {
        onboarding("bakkerij"): "changed",
        "added": "",
    }
    assert list(service.scheduled) == ["key"]


def test_days_pass_and_what_is_due_is_done_the_earliest_first() -> None:
    # Given commands for later, not in the order in which they are due, one of which has another
    # follow within the same time,
    done: list[tuple[str, datetime]] = []

    def lend(_command: Lend) -> Sequence[Effect]:
        return [later("third", 3), later("first", 1), later("fifth", 5), later("second", 2)]

    def later(title: str, days: float) -> Scheduled:
        return Scheduled(Remind(title=title), MONDAY + days * DAY, key=title)

    def remind(command: Remind, now: Now) -> Sequence[Effect]:
        done.append((command.title, now))
        return [later("between", 2.5), Bell()] if command.title == "first" else []

    service = library(lend, remind)
    service.ask(Lend(title="t"))
    # When time passes, Then those that are due are done, each at its own time,
    heard = service.pass_days(3)
    assert done == [
        ("first", MONDAY + 1 * DAY),
        ("second", MONDAY + 2 * DAY),
        ("between", MONDAY + 2.5 * DAY),
        ("third", MONDAY + 3 * DAY),
    ]
    assert len(heard.all(Bell)) == 1
    assert service.now == MONDAY + 3 * DAY
    # and the others are left for later.
    assert list(service.scheduled) == ["fifth"]
    service.pass_days(1)
    assert len(done) == 4
    service.pass_days(1)
    assert done[-1] == ("fifth", MONDAY + 5 * DAY)


def test_what_is_scheduled_twice_under_one_key_is_done_once_as_it_was_said_first() -> None:
    titles: list[str] = []

    def lend(command: Lend) -> Sequence[Effect]:
        due = MONDAY + (DAY if command.title == "early" else 2 * DAY)
        return [Scheduled(Remind(title=command.title), due, key="key")]

    def remind(command: Remind) -> Sequence[Effect]:
        titles.append(command.title)
        return [Scheduled(Remind(title="again"), MONDAY + 3 * DAY, key="key")]

    service = library(lend, remind)
    service.ask(Lend(title="late"))
    service.ask(Lend(title="early"))
    service.pass_days(9)
    assert titles == ["late"]
    # It stays so when it is asked for after it was done.
    service.ask(Lend(title="early"))
    service.pass_days(9)
    assert titles == ["late"]


def test_a_command_that_fails_when_it_is_due_is_still_to_be_done() -> None:
    # Given a command for tomorrow whose handler fails,
    fails = [RuntimeError("the register is down")]
    done: list[str] = []

    def lend(_command: Lend) -> Sequence[Effect]:
        return [Scheduled(Remind(title="t"), MONDAY + DAY, key="key")]

    def remind(command: Remind) -> Sequence[Effect]:
        for reason in fails:
            raise reason
        done.append(command.title)
        return []

    service = library(lend, remind)
    service.ask(Lend(title="t"))
    with pytest.raises(RuntimeError):
        service.pass_days(1)
    # When what was wrong is mended, Then it is done.
    fails.clear()
    service.pass_days(1)
    assert done == ["t"]


def test_a_command_for_later_is_about_the_customer_it_names_or_else_its_causes() -> None:
    subjects: list[str] = []

    def lend(_command: Lend) -> Sequence[Effect]:
        return [
            Scheduled(Remind(title="own"), MONDAY, key="own"),
            Scheduled(Remind(title="other"), MONDAY + DAY, key="other", about="somebody"),
        ]

    def remind(_command: Remind, envelope: Envelope) -> Sequence[Effect]:
        subjects.append(envelope.subject)
        return []

    service = library(lend, remind)
    service.ask(Lend(title="t"), "bakkerij")
    service.pass_days(1)
    assert subjects == [onboarding("bakkerij"), "somebody"]


def test_only_what_a_load_asks_for_is_loaded() -> None:
    # Given books of one title, some of which a load leaves out by its `only`,
    loaded: list[list[str]] = []

    def lend(_command: Lend, shelf: Loaded[Book]) -> Sequence[Effect]:
        loaded.append(sorted(book.onboarding_id for book in shelf))
        return []

    rows = [
        Book(onboarding_id="free", title="t"),
        Book(onboarding_id="lent", title="t", reader="anna"),
        Book(onboarding_id="away", title="t", place=9),
        Book(onboarding_id="other", title="u"),
    ]
    only = {"reader": None, "place": 0}
    service = library(lend, lend, Load(Book, "title", "title", only=only), rows=rows)
    # When a message asks for them, Then its handler sees those alone.
    service.ask(Lend(title="t"))
    assert loaded == [["free"]]


def test_what_no_load_declares_is_refused_as_in_the_engine() -> None:
    def lend(_command: Lend, shelf: Loaded[Book]) -> Sequence[Effect]:
        shelf.where(reader="anna")
        return []

    with pytest.raises(TypeError, match="find_by"):
        library(lend).ask(Lend(title="t"))


def test_a_handler_that_asks_for_what_nobody_provides_is_refused_at_once() -> None:
    def lend(_command: Lend, register: dict[str, str]) -> Sequence[Effect]:
        return []

    with pytest.raises(TypeError, match=r"no resource of type .* for 'register'"):
        library(lend)


def test_handlers_get_numbers_the_time_and_resources() -> None:
    given: list[object] = []

    def lend(
        _command: Lend, numbers: Numbers, now: Now, envelope: Envelope, resource: list[str]
    ) -> Sequence[Effect]:
        given.append((numbers.take("a"), numbers.take("a"), numbers.take("b"), now, envelope.time))
        resource.append("used")
        return []

    late, used = datetime(2027, 1, 1, tzinfo=UTC), list[str]()
    service = library(lend, resources={list[str]: used}, now=late)
    service.ask(Lend(title="t"))
    assert given == [(1, 2, 1, late, late)]
    assert used == ["used"]


def test_an_event_that_is_late_bears_its_own_time() -> None:
    times: list[tuple[datetime, datetime]] = []

    def late(_event: CustomerReleased, envelope: Envelope, now: Now) -> Sequence[Effect]:
        times.append((envelope.time, now))
        return []

    Harness([on(CustomerReleased, late)]).hear(RELEASED, time=MONDAY - DAY)
    assert times == [(MONDAY - DAY, MONDAY)]


def test_an_event_may_come_as_it_was_written_and_be_said_about_another() -> None:
    def hear(event: RawEvent, envelope: Envelope) -> Sequence[Effect]:
        assert envelope.data == event.data
        return [EventFor("somebody", SAID), Bell()]

    service = Harness([on(CustomerReleased, hear, raw=True)])
    heard = service.hear_raw(RawEvent(CustomerReleased.event_type, {"revision": "two"}))
    assert heard.events == service.said == [SAID]
    assert heard.all(EventFor) == [EventFor("somebody", SAID)]
    assert len(heard.all(Bell)) == 1
