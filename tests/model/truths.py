"""What must be true after every step, and what must have come true in the end."""

import json
from collections import Counter

from shared.messaging.bus import Incoming
from shared.processing.store.tables import DEAD, DONE, DROPPED
from tests.model.books import Books
from tests.model.broker import identity, reference_of
from tests.model.chain import HEARER, TELLER, speaks
from tests.model.world import World


def hold_now(world: World) -> None:
    """No ghost, no loss, no double effect, no false blame: after every step.

    Raises:
        AssertionError: one of them does not hold; the text says which, and of what.
    """
    books = world.look()
    world.told |= books[TELLER].effects.keys()
    found = list(world.wrongs)
    for name, book in books.items():
        found += _doubled(world, name, book)
        found += _lost(world, name, book)
        found += _blamed(world, name, book)
    found += _not_one_commit(world, books[TELLER])
    found += _counted_as_published(world, books[TELLER])
    found += _ghosts(world, books[HEARER])
    assert not found, "; ".join(found)


def came_true(world: World) -> None:
    """At rest: every message had its effect everywhere, or a person let it rest.

    Raises:
        AssertionError: something is missing.
    """
    hold_now(world)
    found = []
    for name, books in world.seen.items():
        for message in world.broker.arrived[name].values():
            reference = reference_of(message)
            if not books.effects[reference] and not _rests(world, name, message):
                found.append(f"lost: {reference} never had its effect at {name}")
    for reference in filter(speaks, world.seen[TELLER].effects):
        heard = world.seen[HEARER].effects[reference]
        words = [
            message
            for message in world.broker.arrived[HEARER].values()
            if reference_of(message) == reference
        ]
        if not heard and not any(_rests(world, HEARER, word) for word in words):
            found.append(f"lost: {reference} was told and never heard")
    found += _unreminded(world)
    assert not found, "; ".join(found)


def _doubled(world: World, name: str, books: Books) -> list[str]:
    found = [
        f"doubled: {reference} had its effect more than once at {name}"
        for reference, times in books.effects.items()
        if times > 1
    ]
    forgotten = Counter(subject for subject, _ in world.reminders_forgotten)
    return found + [
        f"doubled: customer {customer_id} was reminded more than once"
        for customer_id, times in books.reminders.items()
        if times > 1 + forgotten[customer_id]
    ]


def _lost(world: World, name: str, books: Books) -> list[str]:
    """Each message that arrived is done, with its effect, or else is somewhere, without."""
    found = []
    under_way = {identity(message) for message in world.broker.queues[name]}
    for message_id, message in world.broker.arrived[name].items():
        reference = reference_of(message)
        done = message_id in books.done or message_id in world.forgotten[name]
        if done != bool(books.effects[reference]):
            had = "has" if books.effects[reference] else "lacks"
            found.append(
                f"lost: {reference} is {'' if done else 'not '}done at {name}, and {had} its effect"
            )
        if not done and message_id not in under_way and not _kept(books, message.body, message_id):
            found.append(f"lost: {reference} is nowhere at {name}")
    for row in books.inbox.values():
        if row.status == DROPPED and (name, row.id) not in world.dropped:
            found.append(f"lost: {row.id} was dropped by nobody at {name}")  # noqa: PERF401
    return found


def _blamed(world: World, name: str, books: Books) -> list[str]:
    """No message counts as one that killed the process more often than it was cut short.

    None is dead that never began: what a broker thinks of it is no failure of its own.
    """
    ends = world.ends[name]
    found = [
        f"blamed: {row.id} at {name} is dead, and was never begun"
        for row in books.inbox.values()
        if row.status == DEAD and not row.attempts
    ]
    return found + [
        f"blamed: {row.id} at {name} for {row.crashes} deaths, cut short {ends.unfinished[row.id]}"
        for row in books.inbox.values()
        if row.crashes > ends.unfinished[row.id] + ends.unanswered
    ]


def _kept(books: Books, body: bytes, message_id: str) -> bool:
    """Whether the inbox holds a message that is not done: waiting, dead or dropped."""
    return any(
        row.status != DONE and (row.id == message_id or row.body == body)
        for row in books.inbox.values()
    )


def _rests(world: World, name: str, message: Incoming) -> bool:
    """Whether a person let this message rest."""
    return any(
        row.status == DROPPED and row.body == message.body and (name, row.id) in world.dropped
        for row in world.seen[name].inbox.values()
    )


def _not_one_commit(world: World, teller: Books) -> list[str]:
    """What had its effect was said, in the same commit, and nothing else was."""
    said = [json.loads(row.body)["data"]["login_name"] for row in teller.outbox.values()]
    found = [
        f"ghost: {login_name} was said without its effect"
        for login_name in said
        if not teller.effects[login_name]
    ]
    found += [
        f"doubled: {login_name} was said twice"
        for login_name in set(said)
        if said.count(login_name) > 1
    ]
    for reference in teller.effects:
        if speaks(reference) and reference not in said and reference not in world.no_longer_kept:
            found.append(f"lost: {reference} had its effect and was not said")
    return found


def _counted_as_published(world: World, teller: Books) -> list[str]:
    return [
        f"lost: {row.id} counts as published, and no queue has it"
        for row in teller.outbox.values()
        if row.published_at and row.id not in world.broker.routed
    ]


def _ghosts(world: World, hearer: Books) -> list[str]:
    found = [
        f"ghost: {effect} was heard and never told"
        for effect in hearer.effects
        if effect not in world.told
    ]
    return found + [f"ghost: {ghost} was published uncommitted" for ghost in world.broker.ghosts]


def _unreminded(world: World) -> list[str]:
    """Each customer with a fact that asks for it is reminded, or a person dropped the reminder."""
    teller = world.seen[TELLER]
    asked = {
        json.loads(message.body)["subject"]
        for message in world.broker.arrived[TELLER].values()
        if (reference := reference_of(message)).startswith("reminds") and teller.effects[reference]
    }
    dropped = {row.subject for row in teller.inbox.values() if (TELLER, row.id) in world.dropped}
    return [
        f"lost: customer {customer_id} was never reminded"
        for customer_id in asked
        if not teller.reminders.get(customer_id) and customer_id not in dropped
    ]
