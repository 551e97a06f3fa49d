"""What becomes of dead letters: retried once, corrected beside the original, never swallowed."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest

from infra.operations.dead_letters import decisions, letters
from infra.operations.dead_letters.letters import NoSuchLetter
from shared.messaging.bus import Incoming
from shared.processing import Person
from shared.processing.resolutions import NotDeadLettered, WouldBeRejected
from shared.processing.store.tables import DEAD, DONE
from tests.integration.processing.conftest import MakeReplica
from tests.integration.processing.people import lay_dead, retry
from tests.integration.processing.tally import (
    Replica,
    customer,
    message_id,
    release,
)

PEOPLE = 8


def document(message: Incoming, **data: Any) -> dict[str, Any]:
    """The event in a message, with other data."""
    event: dict[str, Any] = json.loads(message.body)
    event["data"] |= data
    return event


def refused(replica: Replica) -> str:
    """The id of the only letter that was refused."""
    (found,) = [letter.id for letter in letters.find({"tally": replica.database})]
    assert found.startswith("refused/")
    return found


def test_a_corrected_letter_has_its_effect_and_its_original_stays(replica: Replica) -> None:
    # Given a message that can never work,
    message = release("bakkerij", "broken-1")
    replica.take(message)
    for hours in (0, 1, 1, 2, 7, 7):
        replica.run_due(timedelta(hours=hours))
    letter_id = message_id("bakkerij")
    assert replica.inbox()[letter_id].status == DEAD
    # When somebody corrects it,
    retry(replica, letter_id, document(message, order_reference="O-7"))
    replica.now += timedelta(days=400)
    replica.run_due()
    # Then it has its effect, once,
    assert replica.tallies() == {customer("bakkerij"): 1}
    assert replica.inbox()[letter_id].status == DONE
    # and what came, what was sent instead, who did it and why are all on record.
    shown = letters.show(replica.database, letter_id).model_dump(mode="json")
    assert shown["original"]["body"]["data"]["order_reference"] == "broken-1"
    (decision,) = shown["decisions"]
    assert decision["correction"]["data"]["order_reference"] == "O-7"
    assert (decision["by"], decision["why"], decision["verdict"]) == ("anna", "mended", "retry")
    assert "something unexpected" in decision["error"]


def test_original_and_correction_are_one_event_whichever_comes_again(replica: Replica) -> None:
    # Given a letter that was corrected and done,
    message = release("bakkerij", "never-1")
    lay_dead(replica, message)
    correction = document(message, order_reference="O-7")
    retry(replica, message_id("bakkerij"), correction)
    replica.run_due(timedelta(days=400))
    # When the broker brings the original again, and the sender his own correction,
    replica.take(replace(message, dead_lettered=""))
    replica.take(replace(message, body=json.dumps(correction).encode(), dead_lettered=""))
    # Then nothing happens twice, and nothing is dead.
    assert replica.tallies() == {customer("bakkerij"): 1}
    assert letters.find({"tally": replica.database}) == []


def test_a_letter_that_dies_twice_has_both_decisions(replica: Replica) -> None:
    message = release("bakkerij", "never-1")
    lay_dead(replica, message)
    letter_id = message_id("bakkerij")
    # When it is retried, dies again, and is corrected by somebody else,
    retry(replica, letter_id)
    replica.run_due(timedelta(days=400))
    assert replica.inbox()[letter_id].status == DEAD
    retry(replica, letter_id, document(message, order_reference="O-7"), by="bram")
    replica.run_due(timedelta(days=400))
    # Then both are on record, and the first did not overwrite the second.
    decisions = letters.show(replica.database, letter_id).decisions
    corrected = [(decision.by, decision.correction is not None) for decision in decisions]
    assert corrected == [("anna", False), ("bram", True)]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"id": "6f1c1f4e-0000-4000-8000-000000000001"}, "keeps that id"),
        ({"data": {}}, "order_reference"),
        ({"source": "/website/0042"}, "is said by billing"),
        ({"type": "customer.vanished.v1"}, "unknown"),
        ({"time": "yesterday"}, "RFC 3339"),
        ({"data": {"customer": {"company": "bsn 111222333"}}}, "citizen number"),
    ],
)
def test_a_correction_that_would_be_refused_changes_nothing(
    replica: Replica, change: dict[str, Any], says: str
) -> None:
    # Given a dead letter,
    message = release("bakkerij", "never-1")
    lay_dead(replica, message)
    before = replica.inbox()
    # When the correction is wrong itself, Then whoever made it is told how, and nothing changes.
    with pytest.raises(WouldBeRejected, match=says):
        retry(replica, message_id("bakkerij"), json.loads(message.body) | change)
    assert replica.inbox() == before
    assert letters.show(replica.database, message_id("bakkerij")).decisions == []


@pytest.mark.parametrize("body", [b"\xff{", b"[" * 100_000], ids=["no text", "deep"])
def test_a_body_that_is_no_json_is_no_correction(replica: Replica, body: bytes) -> None:
    lay_dead(replica, release("bakkerij", "never-1"))
    with pytest.raises(WouldBeRejected, match="not valid JSON"):
        decisions.retry(
            replica.database,
            replica.runtime.engine.decoder,
            message_id("bakkerij"),
            by=Person("anna"),
            why="mended",
            at=replica.now,
            correction=body,
        )


def test_an_event_with_its_attributes_as_headers_is_corrected_by_its_body_alone(
    replica: Replica,
) -> None:
    # Given a letter in binary mode,
    whole = json.loads(release("bakkerij", "never-1").body)
    data = whole.pop("data")
    message = Incoming(
        json.dumps(data).encode(),
        whole["type"],
        "application/json",
        headers={f"cloudEvents:{name}": value for name, value in whole.items()},
    )
    lay_dead(replica, message)
    # When only the data are given, Then the attributes are still those of the letter.
    retry(replica, message_id("bakkerij"), data | {"order_reference": "O-7"})
    replica.run_due(timedelta(days=400))
    assert replica.tallies() == {customer("bakkerij"): 1}


def test_a_refused_letter_takes_its_own_id_when_it_is_corrected(replica: Replica) -> None:
    # Given a message that was refused, and is therefore kept under a key of its contents,
    broken = release("bakkerij", revision="first")
    replica.take(broken)
    letter_id = refused(replica)
    # When it is retried as it is, Then it would only be refused again;
    with pytest.raises(WouldBeRejected, match="revision"):
        retry(replica, letter_id)
    # corrected, it has its effect under its own id, so that the same event is known again.
    correction = document(broken, revision=1)
    retry(replica, letter_id, correction)
    replica.run_due(timedelta(days=400))
    assert replica.inbox()[message_id("bakkerij")].status == DONE
    replica.take(release("bakkerij"))
    assert replica.tallies() == {customer("bakkerij"): 1}
    assert letters.find({"tally": replica.database}) == []


def test_a_refused_letter_whose_id_was_used_meanwhile_is_not_run(replica: Replica) -> None:
    # Given a refused letter, whose sender has corrected it himself under the same id,
    broken = release("bakkerij", revision="first")
    replica.take(broken)
    replica.take(release("bakkerij"))
    letter_id = refused(replica)
    # When somebody corrects it to the same, Then he is told that it has had its effect;
    with pytest.raises(NotDeadLettered, match="drop it"):
        retry(replica, letter_id, document(broken, revision=1))
    # to something else, Then he is told to give it an id of its own,
    other = document(broken, revision=2)
    with pytest.raises(NotDeadLettered, match="id of its own"):
        retry(replica, letter_id, other)
    # and when he does, it runs.
    retry(replica, letter_id, other | {"id": customer("another id")})
    replica.run_due(timedelta(days=400))
    assert replica.tallies() == {customer("bakkerij"): 2}


def test_an_id_that_is_used_between_retry_and_run_is_not_swallowed(replica: Replica) -> None:
    # Given a corrected letter that is due,
    broken = release("bakkerij", revision="first")
    replica.take(broken)
    letter_id = refused(replica)
    retry(replica, letter_id, document(broken, revision=2))
    # When another event with its id comes first,
    replica.take(release("bakkerij"))
    replica.run_due(timedelta(days=400))
    # Then the letter has no effect, and it is dead once more, with that reason.
    assert replica.tallies() == {customer("bakkerij"): 1}
    row = replica.inbox()[letter_id]
    assert (row.status, "used meanwhile" in (row.error or "")) == (DEAD, True)


def test_of_many_who_press_at_once_one_wins(make_replica: MakeReplica) -> None:
    # Given letters that have died, and as many processes as people,
    replicas = [make_replica() for _ in range(PEOPLE)]
    for turn in range(5):
        name = f"bakkerij {turn}"
        message = release(name, "never-1")
        lay_dead(replicas[0], message)
        start = Barrier(PEOPLE)

        def press(
            who: int, start: Barrier = start, name: str = name, message: Incoming = message
        ) -> str:
            mine = document(message, order_reference=f"O-{who}")
            start.wait(20)
            try:
                if who % 4 == 3:
                    decisions.drop(
                        replicas[who].database,
                        message_id(name),
                        by=Person(str(who)),
                        why="x",
                        at=replicas[who].now,
                    )
                else:
                    retry(replicas[who], message_id(name), mine, by=str(who))
            except NotDeadLettered as refusal:
                return str(refusal)
            return "won"

        # When all decide about one of them at the same moment, most with a correction of his own,
        with ThreadPoolExecutor(PEOPLE) as threads:
            answers = list(threads.map(press, range(PEOPLE)))
        # Then one of them has decided; all others are told who.
        assert Counter(answers)["won"] == 1
        winner = answers.index("won")
        assert all(f"{winner} decided" in answer for answer in answers if answer != "won")
        # What is run is the winner's, and his decision alone is on record.
        shown = letters.show(replicas[0].database, message_id(name)).model_dump(mode="json")
        (decision,) = shown["decisions"]
        assert decision["by"] == str(winner)
        if decision["verdict"] == "retry":
            assert shown["body"]["data"]["order_reference"] == f"O-{winner}"


def test_replicas_that_run_what_was_retried_do_so_once(make_replica: MakeReplica) -> None:
    # Given many refused letters, all corrected,
    replicas = [make_replica() for _ in range(3)]
    for number in range(20):
        replicas[0].take(release(f"bakkerij {number}", revision="first"))
    for letter in letters.find({"tally": replicas[0].database}):
        event = letters.show(replicas[0].database, letter.id).model_dump(mode="json")["body"]
        event["data"]["revision"] = 1
        retry(replicas[0], letter.id, event)
    # When several replicas look for what is due at once,
    for replica in replicas:
        replica.now += timedelta(days=400)
    with ThreadPoolExecutor(len(replicas)) as threads:
        list(threads.map(lambda worker: [worker.run_due() for _ in range(3)], replicas))
    # Then each has its effect once.
    assert set(replicas[0].tallies().values()) == {1}
    assert len(replicas[0].tallies()) == 20


def test_there_is_nothing_to_decide_about_a_letter_that_is_not_there(replica: Replica) -> None:
    with pytest.raises(NoSuchLetter):
        retry(replica, "nobody")


def test_a_message_that_is_refused_each_time_it_is_delivered_is_one_dead_letter(
    replica: Replica,
) -> None:
    # Given a message that cannot be read, and whose process died before it was acknowledged,
    message = release("bakkerij", revision="first")
    replica.take(message)
    # When the broker delivers it again, with what it notes of deliveries, and gives it up at last,
    counted = replace(message, headers={"x-delivery-count": 1}, redelivered=True)
    replica.take(counted)
    replica.take(replace(counted, headers={"x-delivery-count": 2, "x-acquired-count": 3}))
    # Then there is one letter to decide about.
    assert len(letters.find({"tally": replica.database})) == 1


def test_what_differs_in_a_header_of_its_publisher_is_another_letter(replica: Replica) -> None:
    message = release("bakkerij", revision="first")
    replica.take(*(replace(message, headers={"x-office": office}) for office in ("0042", "0077")))
    assert len(letters.find({"tally": replica.database})) == 2
