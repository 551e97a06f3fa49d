"""All is well again: whatever happened to a world, it comes to rest."""

from datetime import timedelta

from shared.processing.store.tables import DEAD, WAITING
from tests.model.books import read
from tests.model.chain import SERVICES
from tests.model.world import World

ROUNDS = 40
"""So many rounds of all chores, an hour apart, bring any world to rest: it takes twelve hours to
try a message for the last time."""


def heal(world: World) -> None:
    """Everything that was broken is mended, and everybody does his work until all is at rest.

    Raises:
        AssertionError: there is no rest.
    """
    world.wrong = timedelta()
    world.broker.unbound.clear()
    for moods in world.moods.values():
        moods.by_reference.clear()
    _until_rest(world)
    # Whatever the hearer missed, it may have missed at any time.
    world.replay()
    _until_rest(world)


def _until_rest(world: World) -> None:
    for _ in range(ROUNDS):
        if _at_rest(world):
            return
        _round(world)
        world.now += timedelta(hours=1)
    raise AssertionError(f"it does not come to rest: {_restless(world)}")


def _round(world: World) -> None:
    for process in world.processes:
        while batch := world.take(process, 50):
            process.consume(batch)
        process.recall()
        process.run_due()
        process.sweep()
        for publication in list(process.line.on_the_wire):
            process.hear(publication, ["confirmed"])
        process.flush_confirms()
        for letter_id in read(world.databases[process.name]).dead:
            if not world.retry(process.name, letter_id):
                world.drop(process.name, letter_id)


def _at_rest(world: World) -> bool:
    """Whether there is nothing left to do for anybody."""
    if world.on_the_wire() or any(world.broker.queues[name] for name in SERVICES):
        return False
    return all(book.at_rest for book in world.look().values())


def _restless(world: World) -> list[str]:
    found = []
    for name in SERVICES:
        books = read(world.databases[name])
        found += [
            f"{row.type} {row.id} is {row.status} at {name}"
            for row in books.inbox.values()
            if row.status in (WAITING, DEAD)
        ]
        found += [
            f"{name} has not published {row.id}"
            for row in books.outbox.values()
            if row.published_at is None
        ]
        found += [f"{len(world.broker.queues[name])} messages wait in the queue of {name}"]
    return found
