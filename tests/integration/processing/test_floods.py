"""A speaker who sends what must be refused, without end, fills no database and no log."""

from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from infra.operations.dead_letters import decisions, letters
from infra.operations.dead_letters.letters import NotKept
from shared.messaging.bus import EXCHANGE, Incoming
from shared.processing import Person
from shared.processing.store.overflow import LETTERS_OF_A_SPEAKER
from shared.processing.store.tables import DONE
from tests.integration.processing.tally import Replica, customer, message_id, release

WEBSITE, OTHER = "stappenplan.website.0042", "stappenplan.website.0077"
MORE = 110


def rubbish(number: int, exchange: str | None = WEBSITE) -> Incoming:
    return Incoming(f"rubbish {number}".encode(), "signup.submitted.v1", exchange=exchange)


def flood(replica: Replica, exchange: str | None = WEBSITE, more: int = MORE) -> None:
    """So many more than are kept."""
    replica.take(*(rubbish(number, exchange) for number in range(LETTERS_OF_A_SPEAKER + more)))


def kept(replica: Replica) -> int:
    return len(letters.find({"tally": replica.database}))


def not_kept(replica: Replica) -> list[NotKept]:
    return letters.not_kept({"tally": replica.database})


def test_what_is_refused_is_kept_once_however_often_it_comes(replica: Replica) -> None:
    # When the same contents come again and again, Then there is one letter, and nothing is counted.
    replica.take(rubbish(1), rubbish(1))
    replica.take(*(rubbish(1) for _ in range(LETTERS_OF_A_SPEAKER + 1)))
    assert (kept(replica), not_kept(replica)) == (1, [])


def test_of_a_speaker_only_so_many_letters_are_kept_and_the_rest_is_counted(
    replica: Replica,
) -> None:
    # When a website floods a service,
    flood(replica)
    # Then so many of its letters wait for a person, and the others are a number,
    assert kept(replica) == LETTERS_OF_A_SPEAKER
    (overflow,) = not_kept(replica)
    assert (overflow.speaker, overflow.number) == (WEBSITE, MORE)
    assert f"and {MORE} more like it by {WEBSITE}" in overflow.sentence
    assert "not valid JSON" in overflow.error
    # which goes on where it was,
    replica.take(rubbish(999_999))
    assert not_kept(replica)[0].number == MORE + 1
    # while those of another speaker are kept as ever.
    replica.take(rubbish(1, OTHER))
    assert kept(replica) == LETTERS_OF_A_SPEAKER + 1


@pytest.mark.parametrize("exchange", [None, "", EXCHANGE])
def test_what_may_be_our_own_is_kept_whatever_its_number(
    replica: Replica, exchange: str | None
) -> None:
    flood(replica, exchange, more=1)
    assert (kept(replica), not_kept(replica)) == (LETTERS_OF_A_SPEAKER + 1, [])


def test_what_our_own_services_say_is_kept_whatever_its_number(replica: Replica) -> None:
    # Given that a service refuses what another one says, e.g. since it is older than that one,
    count = LETTERS_OF_A_SPEAKER + 5
    said = [release(f"customer {number}", revision="first") for number in range(count)]
    replica.take(*(replace(message, exchange=EXCHANGE) for message in said))
    # Then all of it is kept: no fact of ours is lost.
    assert (kept(replica), not_kept(replica)) == (count, [])


def test_when_all_is_dealt_with_the_count_begins_anew(replica: Replica) -> None:
    # Given a flood about which a person has decided,
    flood(replica)
    for letter in letters.find({"tally": replica.database}):
        decisions.drop(
            replica.database, letter.id, by=Person("anna"), why="a flood", at=replica.now
        )
    assert not_kept(replica) == []
    # When the speaker is refused again, Then there is one letter, and no number beside it.
    replica.take(rubbish(999_999))
    assert (kept(replica), not_kept(replica)) == (1, [])


def test_the_log_does_not_run_full_either(replica: Replica) -> None:
    # When a website floods a service, one message after the other,
    flood(replica, more=0)
    with capture_logs() as logs:
        for number in range(MORE):
            replica.take(rubbish(1_000 + number))
    # Then it is told at the first, the tenth and the hundredth that is not kept.
    told = [(row["event"], row["not_kept"]) for row in logs if row["log_level"] == "error"]
    assert told == [("refused_messages_not_kept", number) for number in (1, 10, 100)]


@pytest.mark.parametrize("exchange", [WEBSITE, EXCHANGE, "", None])
def test_the_exchange_stays_with_a_letter_until_it_is_done(
    replica: Replica, exchange: str | None
) -> None:
    # Given a message that fails for now,
    replica.take(replace(release("bakkerij", "broken-1"), exchange=exchange))
    # Then the exchange that it came by is kept with it, however often it is tried,
    assert replica.inbox()[message_id("bakkerij")].exchange == exchange
    replica.run_due(timedelta(hours=1))
    assert replica.inbox()[message_id("bakkerij")].exchange == exchange
    assert (
        letters.show(replica.database, message_id("bakkerij")).model_dump()["exchange"] == exchange
    )
    # and forgotten with all else that is kept of it.
    replica.take(replace(release("slagerij"), exchange=exchange, redelivered=True))
    done = replica.inbox()[message_id("slagerij")]
    assert (done.status, done.exchange, done.body) == (DONE, None, None)
    assert replica.tallies()[customer("slagerij")] == 1
