"""What handlers find among the entities of a batch, and which names they may find it by."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events import CustomerReleased
from shared.processing import Load, Loaded, Now, by_subject, on, through
from shared.processing.handlers.loading import Wanted
from shared.processing.handlers.registry import HandlerRegistry
from tests.unit.processing.library import (
    NOW,
    Book,
    Lend,
    Reader,
    Unwatched,
    books,
    each,
    keys,
    lend,
)

# What is found.


def test_they_are_found_by_key_and_by_each_column_together() -> None:
    first, second, third = books("a", "b", "a")
    third.place = 7
    loaded = Loaded([first, second, third])
    assert loaded.get("b1") is second
    assert loaded.get("b9") is None
    assert loaded.where(title="a") == [first, third]
    assert loaded.where(title="a", place=7) == [third]
    assert loaded.where(title="b", place=7) == []
    assert loaded.where(reader=None) == [first, second, third]
    assert ("b1" in loaded, "b9" in loaded) == (True, False)


def test_what_a_handler_changes_it_finds_changed_at_once() -> None:
    # Given entities that were looked up by what they hold,
    loaded = Loaded(books("a", "a", "b"))
    first, second = loaded.where(title="a")
    # When the handler changes one of them,
    first.title = "b"
    # Then it is found by what it holds now, in its old place among the others, and is not by what
    # it held.
    assert keys(loaded.where(title="b")) == ["b0", "b2"]
    assert loaded.where(title="a") == [second]


@pytest.mark.parametrize(
    "hand_out",
    [
        lambda loaded: loaded.get("b0"),
        lambda loaded: loaded.where(title="a")[0],
        lambda loaded: next(iter(loaded)),
    ],
    ids=["get", "where", "iter"],
)
def test_what_one_handler_changed_the_next_one_finds(
    hand_out: Callable[[Loaded[Book]], Book],
) -> None:
    loaded = Loaded(books("a", "c"))
    assert keys(loaded.where(title="a")) == ["b0"]
    loaded.release()
    # When one handler changes what it was handed, by whatever way, and is through,
    hand_out(loaded).title = "b"
    loaded.release()
    # Then the next one finds that.
    assert keys(loaded.where(title="b")) == ["b0"]
    assert loaded.where(title="a") == []


def test_an_added_entity_is_found_and_followed_like_any_other() -> None:
    loaded = Loaded(books("a"))
    assert loaded.where(title="b") == []
    added = loaded.add(Book(onboarding_id="new", title="b"))
    assert loaded.where(title="b") == [added]
    added.title = "c"
    assert loaded.where(title="b") == []
    loaded.release()
    assert loaded.where(title="c") == [added]
    assert loaded.added == [added]
    assert loaded.get("new") is added


def test_results_come_in_the_order_of_loading_whatever_was_changed() -> None:
    # Given entities of two loads, and one that was added in between,
    loaded = Loaded(books("a", "b", "a"))
    loaded.add(Book(onboarding_id="added", title="b"))
    loaded.merge([*books("x"), Book(onboarding_id="late", title="a")])
    assert keys(loaded.where(title="a")) == ["b0", "b2", "late"]
    # When they come to hold the same by and by, the last one first,
    for key in ("late", "b2", "b0"):
        book = loaded.get(key)
        assert book is not None
        book.title = "b"
        loaded.release()
    # Then they are found in the order in which they were loaded.
    assert keys(loaded.where(title="b")) == ["b0", "b1", "b2", "added", "late"]
    assert keys(list(loaded)) == ["b0", "b1", "b2", "added", "late"]


def test_what_is_there_already_stays_as_it_is_when_it_is_loaded_again() -> None:
    loaded = Loaded(books("a"))
    (first,) = loaded
    first.title = "changed"
    loaded.merge(books("a"))
    assert list(loaded) == [first]
    assert loaded.where(title="a") == []


# What is misspelt.


def test_a_misspelt_column_fails_where_the_load_is_written() -> None:
    with pytest.raises(TypeError, match="Book has no column titel"):
        Load(Book, "titel", "title")
    with pytest.raises(TypeError, match="Book has no column raeder"):
        Load(Book, "title", "title", find_by=("raeder",))
    with pytest.raises(TypeError, match="Book has no column plaats"):
        Load(Book, "title", "title", only={"plaats": 1})
    with pytest.raises(TypeError, match="Book has no column lener"):
        Load(Book, "title", "title", or_column="lener")
    with pytest.raises(TypeError, match="Book has no column id"):
        by_subject(Book, "id")
    with pytest.raises(TypeError, match="Book has no column naam"):
        through(by_subject(Book), "naam")


def test_a_misspelt_field_fails_where_the_subscription_is_written() -> None:
    def handler(_command: Lend) -> list[Any]:
        return []

    with pytest.raises(TypeError, match=r"Lend has no field 'titel'.*it has title, reader"):
        on(Lend, handler, loads=[Load(Book, "title", "titel")])
    with pytest.raises(TypeError, match="CustomerReleased has no field 'title'"):
        on(CustomerReleased, handler, loads=[Load(Book, "title", "title")])
    on(Lend, handler, loads=[Load(Book, "title", "title")])


def test_a_column_that_no_load_declares_is_refused_with_what_to_do() -> None:
    loaded = Loaded(books("a"), find_by={"title"})
    with pytest.raises(TypeError, match=r"found by 'reader' \(but by title\).*find_by=\('reader'"):
        loaded.where(reader=None)
    # Even where there is nothing to be found, and beside a column that is declared.
    with pytest.raises(TypeError, match="find_by"):
        Loaded[Book](find_by=()).where(title="a")
    with pytest.raises(TypeError, match="find_by"):
        loaded.where(title="a", place=0)


def test_a_test_finds_by_any_column_and_by_no_other_name() -> None:
    with pytest.raises(TypeError, match="Book has no column titel"):
        Loaded(books("a")).where(titel="a")


def test_a_handler_finds_by_what_the_loads_of_its_service_declare() -> None:
    # Given two subscriptions of one service, which declare a column each,
    found: list[list[str]] = []

    def handler(command: Lend, loaded: Loaded[Book]) -> list[Any]:
        found.append(keys(loaded.where(title=command.title, reader=None)))
        loaded.where(place=1)
        return []

    def other(_event: CustomerReleased, _loaded: Loaded[Book]) -> list[Any]:
        return []

    lines = [
        on(Lend, handler, loads=[Load(Book, "title", "title")]),
        on(CustomerReleased, other, loads=[by_subject(Book, find_by=("reader",))]),
    ]
    registry = HandlerRegistry("library", lines, {})
    message = lend("a")
    entities = registry.load([message], each(lambda _load: books("a")), Now(NOW))
    # When a handler looks by both, Then it finds; by a third, Then it is told.
    with pytest.raises(TypeError, match="'place'"):
        registry.run([message], entities, Now(NOW), Unwatched())
    assert found == [["b0"]]


def test_a_load_that_follows_another_finds_through_its_entities() -> None:
    # Given books that were lent, and a load of their readers,
    book = by_subject(Book)
    readers = Load(Reader, "onboarding_id", through(book, "reader"))

    def handler(_command: Lend, _books: Loaded[Book], _readers: Loaded[Reader]) -> list[Any]:
        return []

    registry = HandlerRegistry("library", [on(Lend, handler, loads=[book, readers])], {})
    shelf = books("a", "b", "c")
    shelf[0].reader, shelf[1].reader = "r1", "r2"
    asked: list[tuple[type, set[Any]]] = []

    def fetch(wanted: Sequence[Wanted]) -> list[list[Any]]:
        asked.extend((load.model, keys) for load, keys in wanted)
        return [
            [row for row in shelf if load.model is Book and load.matches(row, keys)]
            for load, keys in wanted
        ]

    # When messages about two of the three come, one of which nobody has,
    messages = [lend("a", subject="b0"), lend("c", subject="b2")]
    registry.load(messages, fetch, Now(NOW))
    # Then one query each asks for all that the batch needs, and for no reader too many.
    assert asked == [(Book, {"b0", "b2"}), (Reader, {"r1"})]
    # A batch that needs no reader asks for none.
    asked.clear()
    registry.load([lend("c", subject="b2")], fetch, Now(NOW))
    assert asked == [(Book, {"b2"})]


def test_what_need_not_know_what_others_found_is_fetched_together() -> None:
    # Given a load that follows another, between two that need nothing of either,
    book = by_subject(Book)
    readers = Load(Reader, "onboarding_id", through(book, "reader"))
    loads = [book, Load(Book, "title", "title"), readers, Load(Reader, "name", "reader")]

    def handler(_command: Lend, _books: Loaded[Book], _readers: Loaded[Reader]) -> list[Any]:
        return []

    registry = HandlerRegistry("library", [on(Lend, handler, loads=loads)], {})
    (shelf,) = books("a")
    shelf.reader = "r1"
    together: list[list[tuple[type, set[Any]]]] = []

    def fetch(wanted: Sequence[Wanted]) -> list[list[Any]]:
        together.append([(load.model, keys) for load, keys in wanted])
        return [[shelf] if load.model is Book else [] for load, _ in wanted]

    # When a message comes, Then those before it go together, and so do it and those behind it.
    registry.load([lend("a", "r2", subject="b0")], fetch, Now(NOW))
    assert together == [
        [(Book, {"b0"}), (Book, {"a"})],
        [(Reader, {"r1"}), (Reader, {"r2"})],
    ]


# Beside a linear scan.

TITLES = st.sampled_from("abc")
READERS = st.sampled_from([None, "anna", "bram"])
CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("title"), st.integers(0, 9), TITLES),
        st.tuples(st.just("reader"), st.integers(0, 9), READERS),
        st.tuples(st.just("add"), st.integers(0, 99), TITLES),
        st.tuples(st.just("merge"), st.integers(0, 99), TITLES),
        st.tuples(st.just("release"), st.just(0), st.just("")),
        st.tuples(st.just("look by title"), st.just(0), TITLES),
        st.tuples(st.just("look by both"), st.integers(0, 2), TITLES),
    ),
    max_size=40,
)


@given(st.lists(st.tuples(TITLES, READERS), max_size=8), CHANGES)
def test_it_finds_what_a_scan_of_all_would_find(
    rows: list[tuple[str, str | None]], changes: list[tuple[str, int, Any]]
) -> None:
    # Given any entities, kept beside in a plain list,
    plain = [
        Book(onboarding_id=f"b{number}", title=title, reader=reader)
        for number, (title, reader) in enumerate(rows)
    ]
    loaded = Loaded(plain)
    # When they are changed, added, loaded and looked up in any order,
    for what, number, value in changes:
        key = f"n{number}"
        match what:
            case "title" | "reader" if plain:
                entity = loaded.get(plain[number % len(plain)].onboarding_id)
                setattr(entity, what, value)
            case "add" if key not in loaded:
                plain.append(loaded.add(Book(onboarding_id=key, title=value)))
            case "merge":
                late = Book(onboarding_id=key, title=value)
                plain += [] if key in loaded else [late]
                loaded.merge([late])
            case "release":
                loaded.release()
            case "look by title":
                expected = [row for row in plain if row.title == value]
                assert loaded.where(title=value) == expected
            case "look by both":
                reader = (None, "anna", "bram")[number]
                expected = [row for row in plain if (row.title, row.reader) == (value, reader)]
                assert loaded.where(title=value, reader=reader) == expected
    # Then it is as if all of them were looked through each time.
    for title in "abc":
        assert loaded.where(title=title) == [row for row in plain if row.title == title]
    assert list(loaded) == plain
