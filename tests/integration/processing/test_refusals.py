"""What is refused leaves its id to whoever corrects it, whenever it is that it is refused."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from infra.operations.dead_letters import letters
from infra.operations.dead_letters.letters import DeadLetter
from shared.base.errors import InfrastructureDown, Reject
from shared.processing import Effect
from shared.processing.retry_policy import MESSAGE_LEASE
from shared.processing.store.tables import DEAD, DONE, WAITING
from tests.integration.processing.conftest import MakeReplica
from tests.integration.processing.people import retry
from tests.integration.processing.tally import (
    MENDED,
    START,
    STUMBLES,
    Remind,
    Replica,
    customer,
    message_id,
    release,
)


def letter(replica: Replica) -> DeadLetter:
    """The only dead letter there is."""
    (letter,) = letters.find({"tally": replica.database})
    return letter


def test_what_is_refused_when_it_comes_again_leaves_its_id_free(replica: Replica) -> None:
    # Given a message that may have killed a process, so that it runs alone,
    replica.take(release("bakkerij", "never-1", redelivered=True))
    # When its handler refuses it, Then it is dead at once, under a key of its contents,
    dead = letter(replica)
    assert (dead.id[:8], dead.error) == ("refused/", "this can never work")
    # and its sender may correct it and use the same id.
    replica.take(release("bakkerij"))
    assert replica.tallies() == {customer("bakkerij"): 1}
    assert replica.inbox()[message_id("bakkerij")].status == DONE


def test_what_is_refused_when_it_is_tried_again_leaves_its_id_free(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a message that failed, and is therefore kept under its id,
    replica.take(release("bakkerij", "broken-1"))
    # When the next try finds that it can never work,
    monkeypatch.setitem(STUMBLES, "broken", Reject("this can never work"))
    replica.run_due(timedelta(minutes=1))
    # Then it is a letter that tells since when, and after how many attempts,
    dead = letter(replica)
    assert dead.id.startswith("refused/")
    assert (dead.since, dead.attempts, dead.error) == (START, 2, "this can never work")
    # and the corrected message has its effect under its id.
    replica.take(release("bakkerij"))
    assert replica.tallies() == {customer("bakkerij"): 1}


def test_refused_at_once_or_later_it_is_one_letter(replica: Replica) -> None:
    replica.take(release("bakkerij", "never-1"))
    replica.take(release("bakkerij", "never-1", redelivered=True))
    assert letter(replica).id.startswith("refused/")


def test_what_a_person_has_decided_about_stays_where_he_finds_it(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a message that failed too often, and that a person retries,
    replica.take(release("bakkerij", "broken-1"))
    while replica.run_due(timedelta(hours=7)):
        pass
    retry(replica, message_id("bakkerij"))
    # When it is refused now, Then it is dead under the id by which he knows it.
    monkeypatch.setitem(STUMBLES, "broken", Reject("this can never work"))
    replica.run_due(timedelta(days=400))
    assert letter(replica).id == message_id("bakkerij")
    assert (
        len(
            letters.show(replica.database, message_id("bakkerij")).model_dump(mode="json")[
                "decisions"
            ]
        )
        == 1
    )


def test_a_command_that_is_refused_stays_what_it_is(replica: Replica) -> None:
    # Given a command of the service to itself, which nobody else could say again,
    replica.take(release("bakkerij", "later-1"))

    def hopeless(*_: object) -> Sequence[Effect]:
        raise Reject("this can never work")

    replica.handlers[Remind.command_type] = hopeless
    # When it is refused, Then it is dead under its id, so that it is asked for once.
    replica.run_due(timedelta(days=8))
    dead = letter(replica)
    assert (dead.type, dead.id[:8] == "refused/") == (Remind.command_type, False)
    replica.take(release("bakkerij", "later-1", message="again"))
    assert replica.inbox()[dead.id].status == DEAD


def test_who_comes_back_with_a_refused_message_in_hand_does_not_run_it_for_its_correction(
    make_replica: MakeReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a replica that lost the database with a message in hand,
    first, second = make_replica(), make_replica()
    first.take(release("bakkerij", "broken-1"))

    def away(*_: object, **__: object) -> None:
        raise InfrastructureDown("the database is away")

    with monkeypatch.context() as outage:
        outage.setattr(first.runtime.engine.transactions, "run", away)
        with pytest.raises(InfrastructureDown):
            first.run_due(timedelta(minutes=1))
    # another that refused it meanwhile, and its correction, which waits for its next try,
    second.now = first.now + MESSAGE_LEASE
    with monkeypatch.context() as hopeless:
        hopeless.setitem(STUMBLES, "broken", Reject("this can never work"))
        second.run_due()
    second.take(release("bakkerij", "outside-1"))
    # When the first comes back, Then the correction still waits, and what was refused is dead.
    MENDED.add("broken-1")
    first.run_due()
    waiting = first.inbox()[message_id("bakkerij")]
    assert (waiting.status, b"outside-1" in (waiting.body or b"")) == (WAITING, True)
    assert letter(first).id.startswith("refused/")
    assert first.tallies() == {}
