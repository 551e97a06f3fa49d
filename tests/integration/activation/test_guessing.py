"""Wrong passwords: whoever guesses shuts out themselves, and nobody learns which names exist."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import event
from sqlmodel import select
from structlog.testing import capture_logs

from services.activation.login import limits, passwords
from services.activation.login.limits import Limit, Limits
from services.activation.login.tries import (
    FORGOTTEN_AFTER,
    LOCK,
    LONG_LOCK,
    WRONG_TRIES,
    WRONG_TRIES_FOR_LONG,
    LoginTries,
)
from shared.base.errors import Invalid, Problem, TooManyRequests, Unauthorized
from shared.processing.store import acts
from shared.processing.testing import onboarding
from tests.integration.activation.conftest import ACTIVATE, HOME, Practice

ELSEWHERE = "198.51.100.9"
OWN = "vier paarden drinken thee"


@pytest.fixture
def login(practice: Practice) -> tuple[str, str]:
    """Login name and one-time password of a customer who has just been activated."""
    practice.ask(ACTIVATE)
    return practice.credentials()


def guess(practice: Practice, name: str, address: str, times: int = WRONG_TRIES) -> list[str]:
    """Somebody tries so many wrong passwords; which problems they are answered."""
    codes = []
    for _ in range(times):
        with pytest.raises(Problem) as refusal:
            practice.log_in(name, "geraden", address)
        codes.append(refusal.value.code)
    return codes


def test_a_stranger_who_guesses_neither_locks_the_customer_out_nor_kills_their_password(
    practice: Practice, login: tuple[str, str]
) -> None:
    # Given a stranger who tries for as long as they are let,
    name, password = login
    for _ in range(6):
        guess(practice, name, ELSEWHERE)
        practice.now += LOCK
    assert guess(practice, name, ELSEWHERE, 1) == ["locked"]
    # When the customer comes with what they were sent, Then they are let in.
    assert practice.log_in(name, password).must_change_password


def test_whoever_guessed_waits_a_quarter_of_an_hour_and_later_a_day(
    practice: Practice, login: tuple[str, str]
) -> None:
    name, password = login
    # Given somebody who tried five times, When they know it at last, Then they must wait,
    assert guess(practice, name, ELSEWHERE) == ["login_failed"] * WRONG_TRIES
    with pytest.raises(TooManyRequests) as refusal:
        practice.log_in(name, password, ELSEWHERE)
    assert 0 < refusal.value.extra["retry_after"] <= LOCK.total_seconds() + 1
    # also in another process, and those who went on guessing for longer.
    for _ in range(WRONG_TRIES_FOR_LONG // WRONG_TRIES - 1):
        practice.now += LOCK
        guess(practice, name, ELSEWHERE)
    practice.now += LOCK
    practice.limits = Limits()
    assert guess(practice, name, ELSEWHERE, 1) == ["locked"]
    practice.now += LONG_LOCK
    assert practice.log_in(name, password, ELSEWHERE)


def test_a_name_that_nobody_has_is_answered_like_any_other(
    practice: Practice, login: tuple[str, str]
) -> None:
    times = WRONG_TRIES + 2
    assert guess(practice, "niemand.hier", ELSEWHERE, times) == guess(
        practice, login[0], ELSEWHERE, times
    )


def test_a_right_password_forgives_the_wrong_ones(
    practice: Practice, login: tuple[str, str]
) -> None:
    for _ in range(2):
        guess(practice, login[0], HOME, WRONG_TRIES - 1)
        practice.log_in(*login)


def test_the_customer_is_told_of_a_lock_once_until_they_are_in_again(
    practice: Practice, login: tuple[str, str]
) -> None:
    # Given somebody who guesses from here and there, When they are locked out,
    for address in (ELSEWHERE, "203.0.113.5", "2001:db8::5"):
        guess(practice, login[0], address)
    # Then the customer is told so, once;
    assert practice.deliver() == ["login_locked"]
    assert practice.post.sent[-1].to == "klant@bakkerij.example"
    # and anew when it happens after they were in.
    practice.log_in(*login)
    guess(practice, login[0], "203.0.113.6")
    assert practice.deliver() == ["login_locked"]


def test_all_addresses_of_one_connection_are_one_address(
    practice: Practice, login: tuple[str, str]
) -> None:
    guess(practice, login[0], "2001:db8::5")
    assert guess(practice, login[0], "2001:db8::77:1", 1) == ["locked"]
    assert guess(practice, login[0], "2001:db8:0:ff::5", 1) == ["locked"]
    assert guess(practice, login[0], "2001:db8:0:100::5", 1) == ["login_failed"]


def test_one_connection_with_many_networks_does_not_shut_the_customer_out(
    practice: Practice, login: tuple[str, str]
) -> None:
    # Given a customer who has not come in yet, and a stranger at home, who has 256 networks there
    name, password = login
    for network in range(limits.FOR_NAME // WRONG_TRIES + 1):
        # and guesses from each of them in turn,
        with suppress(Problem):
            for _ in range(WRONG_TRIES):
                with suppress(Unauthorized):
                    practice.log_in(name, "geraden", f"2001:db8:0:{network:x}::5")
    # When the customer comes with what they were sent, Then they are let in.
    assert practice.log_in(name, password).must_change_password


def test_nothing_is_hashed_for_whoever_has_tried_too_much(
    practice: Practice, login: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an address from which too many passwords came, and a name for which too many did,
    name, _ = login
    practice.limits = Limits(addresses=Limit(3), names=Limit(4))
    for number in range(3):
        guess(practice, f"naam{number}", ELSEWHERE, 1)
    for number in range(4):
        guess(practice, name, f"203.0.113.{number}", 1)
    monkeypatch.setattr(PasswordHasher, "verify", lambda *_: pytest.fail("it was hashed"))
    # When they come again, Then they are refused at once.
    assert guess(practice, "naam9", ELSEWHERE, 1) == ["locked"]
    assert guess(practice, name, "203.0.113.9", 1) == ["locked"]


def test_who_came_this_way_before_is_let_in_however_many_guess_at_their_name(
    practice: Practice, login: tuple[str, str]
) -> None:
    # Given a customer who was here before, and a crowd of strangers with addresses of their own,
    practice.log_in(*login)
    practice.limits = Limits(names=Limit(2))
    for number in range(4):
        guess(practice, login[0], f"203.0.113.{number}", 1)
    # When the customer comes again, Then they are let in.
    assert practice.log_in(*login)


def test_a_limit_is_over_when_its_time_is() -> None:
    moments = iter([0.0, 1.0, 2.0, 61.0, 61.5])
    limit = Limit(2, within=60, clock=lambda: next(moments))
    limit.take("a")
    limit.take("a")
    with pytest.raises(TooManyRequests) as refusal:
        limit.take("a")
    assert refusal.value.extra["retry_after"] == 59
    limit.take("a")
    limit.take("b")


def test_a_limit_remembers_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_KEYS", 10)
    limit = Limit(1)
    for number in range(1000):
        limit.take(str(number))
    assert len(limit._moments) == 10


def test_counts_that_matter_no_more_are_deleted(practice: Practice, login: tuple[str, str]) -> None:
    guess(practice, login[0], ELSEWHERE, 1)
    practice.now += FORGOTTEN_AFTER + timedelta(days=1)
    guess(practice, "ander", ELSEWHERE, 1)
    with practice.runtime.reading() as session:
        assert len(session.exec(select(LoginTries)).all()) == 1


def test_no_password_is_compared_within_a_transaction(
    practice: Practice, login: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given whoever hashes, asked which connections are in use at that moment,
    engine, in_use = practice.runtime.database.engine, set[object]()
    event.listen(engine, "checkout", lambda _, record, __: in_use.add(record))
    event.listen(engine, "checkin", lambda _, record: in_use.discard(record))
    seen: list[int] = []

    def watch(name: str) -> None:
        hash_or_verify: Callable[..., object] = getattr(PasswordHasher, name)

        def watched(*arguments: object) -> object:
            seen.append(len(in_use))
            return hash_or_verify(*arguments)

        monkeypatch.setattr(PasswordHasher, name, watched)

    watch("verify")
    watch("hash")
    # When a customer logs in, chooses a password, and somebody guesses, Then there are none.
    practice.log_in(*login)
    practice.change_password(*login, OWN)
    guess(practice, login[0], ELSEWHERE, 1)
    assert len(seen) >= 4
    assert set(seen) == {0}


def test_a_password_that_is_replaced_while_it_is_compared_lets_nobody_in(
    practice: Practice, login: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a customer whose password is replaced at the very moment when the old one is compared,
    compare = passwords.compare

    def replace_and_compare(hashes: passwords.Hashes, entered: str) -> passwords.Match | None:
        match = compare(hashes, entered)
        with practice.runtime.database.begin() as session:
            customer = session.get_one(type(practice.customer()), onboarding("bakkerij"))
            customer.choose("$argon2id$another")
        return match

    monkeypatch.setattr(passwords, "compare", replace_and_compare)
    # When it is given, Then it is worth nothing any more.
    with pytest.raises(Unauthorized):
        practice.log_in(*login)


def test_a_changed_password_is_told_to_the_customer_and_on_record(
    practice: Practice, login: tuple[str, str]
) -> None:
    # When the customer chooses a password of their own,
    practice.change_password(*login, OWN)
    # Then they are told, at the address that is known, and it says who, what and from where.
    assert practice.deliver() == ["password_changed"]
    mail = practice.post.sent[-1]
    assert mail.to == "klant@bakkerij.example"
    assert OWN not in mail.text
    with practice.runtime.reading() as session:
        (act,) = [
            act
            for act in acts.about(session, onboarding("bakkerij"))
            if act.what == "activation.change_password"
        ]
    assert (act.who, act.office, act.address, act.details) == (login[0], "0042", HOME, "{}")


@pytest.mark.parametrize("new", ["kort", "welkom123456", "\x07" * 14, "", OWN])
def test_a_password_that_will_not_do_is_refused_with_a_sentence(
    practice: Practice, login: tuple[str, str], new: str
) -> None:
    practice.change_password(*login, OWN)
    with pytest.raises(Invalid) as refusal:
        practice.change_password(login[0], OWN, new)
    assert refusal.value.code == "password_weak"
    assert practice.log_in(login[0], OWN)


def test_what_happens_at_the_door_is_logged_by_id_and_without_secrets(
    practice: Practice, login: tuple[str, str]
) -> None:
    # When somebody guesses, the customer comes in and chooses a password,
    with capture_logs() as lines:
        guess(practice, login[0], ELSEWHERE)
        practice.log_in(*login)
        practice.change_password(*login, OWN)
    # Then each is a line with the customer's id, and no more of them.
    events = [line["event"] for line in lines]
    assert events == [*["login_wrong"] * WRONG_TRIES, "login_right", "password_changed"]
    assert {line["onboarding_id"] for line in lines} == {onboarding("bakkerij")}
    assert [line["locked"] for line in lines[:WRONG_TRIES]] == [False] * 4 + [True]
    written = str(lines)
    assert not [text for text in (*login, OWN, "geraden", ELSEWHERE, HOME) if text in written]
