"""What it costs to find entities in a batch: counted in columns that are read, not in time."""

from collections import Counter
from typing import Any

import pytest
from sqlmodel import Field

from shared.processing import Load, Loaded, Now, on, through
from shared.processing.handlers.registry import HandlerRegistry
from tests.unit.processing.library import NOW, Lend, Reader, Shelf, Unwatched, each, lend

MANY = 200


class Counted(Shelf, table=True):
    """A book that counts how often its columns are read."""

    onboarding_id: str = Field(primary_key=True)
    title: str = ""

    def __getattribute__(self, name: str) -> Any:
        if name in ("title", "onboarding_id"):
            READS[name] += 1
        return super().__getattribute__(name)


READS: Counter[str] = Counter()


@pytest.fixture
def counted() -> list[Counted]:
    rows = [Counted(onboarding_id=f"b{number}", title=str(number)) for number in range(MANY)]
    READS.clear()
    return rows


def test_a_batch_reads_each_entity_a_few_times_however_many_it_looks_up(
    counted: list[Counted],
) -> None:
    # Given a batch of two hundred messages, each about an entity of its own,
    def handler(command: Lend, loaded: Loaded[Counted]) -> list[Any]:
        (entity,) = loaded.where(title=command.title)
        entity.title = f"lent {command.title}"
        return []

    registry = HandlerRegistry(
        "library", [on(Lend, handler, loads=[Load(Counted, "title", "title")])], {}
    )
    messages = [lend(str(number)) for number in range(MANY)]
    # When they are loaded, and each is found by what its message says, and changed,
    entities = registry.load(messages, each(lambda _load: counted), Now(NOW))
    registry.run(messages, entities, Now(NOW), Unwatched())
    # Then the work grows with the batch, and not with its square.
    assert READS.total() < 10 * MANY
    assert all(row.title.startswith("lent") for row in counted)


def test_a_load_that_follows_another_reads_each_entity_a_few_times(
    counted: list[Counted],
) -> None:
    books_of = Load(Counted, "title", "title")
    readers = Load(Reader, "name", through(books_of, "title"))

    def handler(_command: Lend, _books: Loaded[Counted], _readers: Loaded[Reader]) -> list[Any]:
        return []

    registry = HandlerRegistry("library", [on(Lend, handler, loads=[books_of, readers])], {})
    messages = [lend(str(number)) for number in range(MANY)]
    find = each(lambda load: counted if load.model is Counted else [])
    registry.load(messages, find, Now(NOW))
    assert READS.total() < 10 * MANY


def test_one_handler_that_looks_up_a_whole_batch_reads_less_than_a_scan_each_time(
    counted: list[Counted],
) -> None:
    loaded = Loaded(counted)
    loaded.release()
    READS.clear()
    for number in range(MANY):
        loaded.where(title=str(number))
    assert READS.total() < MANY * MANY
