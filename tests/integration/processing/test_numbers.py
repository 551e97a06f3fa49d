"""Numbers for people: never given twice, never lacking in the middle of a transaction."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from sqlalchemy import event

from shared.persistence.database import Database
from shared.processing.store.numbers import BLOCK, NumberAllocator
from tests.integration.processing.conftest import MakeReplica, on_postgresql


def numbers_of(database: Database) -> NumberAllocator:
    return NumberAllocator(database, ["customer"])


def test_what_is_reserved_for_one_transaction_no_other_takes(make_replica: MakeReplica) -> None:
    # Given a stock that a transaction under way may need to the last number
    numbers = numbers_of(make_replica().database)
    with numbers.reserved(1):
        pass
    with numbers.reserved(BLOCK):
        # When another begins meanwhile and takes its own
        with numbers.reserved(BLOCK):
            theirs = [numbers.take("customer") for _ in range(BLOCK)]
        # Then the first still gets all that was reserved for it, and no number twice
        ours = [numbers.take("customer") for _ in range(BLOCK)]
    assert len({*ours, *theirs}) == 2 * BLOCK


def test_a_block_is_taken_in_one_statement_and_begins_where_the_last_one_ended(
    make_replica: MakeReplica,
) -> None:
    database = make_replica().database
    sent: list[str] = []
    event.listen(
        database.engine, "before_cursor_execute", lambda _c, _cur, text, *_: sent.append(text)
    )
    # Given a series of which nothing was ever taken, When two blocks of it are, one by one,
    numbers, taken = numbers_of(database), []
    for _ in range(2 * BLOCK):
        with numbers.reserved(1):
            taken.append(numbers.take("customer"))
    # Then they are its first ones,
    assert taken == list(range(1, 2 * BLOCK + 1))
    # and each took one statement.
    assert len([text for text in sent if "number_series" in text]) == 2


@on_postgresql
def test_no_message_waits_for_a_new_block_of_numbers(
    make_replica: MakeReplica, trips: list[int]
) -> None:
    # Given a stock that the message before has used up,
    database = make_replica().database
    numbers = numbers_of(database)
    for _ in range(BLOCK):
        with numbers.reserved(1):
            numbers.take("customer")
        numbers.stock_up(1)
    # When the next one begins, Then its numbers are there.
    trips.clear()
    with numbers.reserved(1):
        assert numbers.take("customer") == BLOCK + 1
    assert trips == []


def test_what_is_foreseen_for_a_message_is_what_it_is_given(make_replica: MakeReplica) -> None:
    numbers = numbers_of(make_replica().database)
    with numbers.reserved(3):
        # Given numbers that were foreseen for three messages, one of them twice,
        foreseen = {name: numbers.foresee("customer", name) for name in ("a", "b", "c", "a")}
        # When two of them take theirs, in another order,
        taken = {name: numbers.take("customer", name) for name in ("c", "a")}
    # Then each has its own,
    assert len(set(foreseen.values())) == 3
    assert taken == {"a": foreseen["a"], "c": foreseen["c"]}
    # and what was not taken is the next transaction's, once.
    with numbers.reserved(2):
        assert numbers.take("customer") == foreseen["b"]
        assert numbers.take("customer") not in foreseen.values()


def test_what_is_foreseen_comes_of_what_is_reserved(make_replica: MakeReplica) -> None:
    # Given a stock of which a transaction foresees all that was reserved for it
    numbers = numbers_of(make_replica().database)
    with numbers.reserved(BLOCK):
        ours = [numbers.foresee("customer", str(number)) for number in range(BLOCK)]
        # When another begins meanwhile and takes its own, then no number is given twice.
        with numbers.reserved(BLOCK):
            theirs = [numbers.take("customer") for _ in range(BLOCK)]
        taken = [numbers.take("customer", str(number)) for number in range(BLOCK)]
    assert taken == ours
    assert len({*ours, *theirs}) == 2 * BLOCK


def test_threads_and_replicas_never_get_one_number_twice(make_replica: MakeReplica) -> None:
    # Given two replicas with two threads each
    replicas = [numbers_of(make_replica().database) for _ in range(2)]
    together = Barrier(4)

    def work(numbers: NumberAllocator) -> list[int]:
        together.wait(20)
        taken = []
        for _ in range(20):
            with numbers.reserved(7):
                taken += [numbers.take("customer") for _ in range(7)]
        return taken

    # When all take numbers at once
    with ThreadPoolExecutor(4) as threads:
        taken = [body for part in threads.map(work, replicas * 2) for body in part]
    # Then each number was given once
    assert len(set(taken)) == len(taken) == 4 * 20 * 7
