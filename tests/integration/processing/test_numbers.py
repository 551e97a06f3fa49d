"""Numbers for people: never given twice, never lacking in the middle of a transaction."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from shared.database import Database
from shared.processing.numbers import HANDFUL, StockedNumbers
from tests.integration.processing.conftest import MakeReplica


def numbers_of(database: Database) -> StockedNumbers:
    return StockedNumbers(database, ["customer"])


def test_what_one_transaction_was_promised_no_other_takes(make_replica: MakeReplica) -> None:
    # Given a stock that a transaction under way may need to the last number
    numbers = numbers_of(make_replica().database)
    with numbers.promised(1):
        pass
    with numbers.promised(HANDFUL):
        # When another begins meanwhile and takes its own
        with numbers.promised(HANDFUL):
            theirs = [numbers.take("customer") for _ in range(HANDFUL)]
        # Then the first still gets all that it was promised, and no number twice
        ours = [numbers.take("customer") for _ in range(HANDFUL)]
    assert len({*ours, *theirs}) == 2 * HANDFUL


def test_threads_and_replicas_never_get_one_number_twice(make_replica: MakeReplica) -> None:
    # Given two replicas with two threads each
    replicas = [numbers_of(make_replica().database) for _ in range(2)]
    together = Barrier(4)

    def work(numbers: StockedNumbers) -> list[int]:
        together.wait(20)
        taken = []
        for _ in range(20):
            with numbers.promised(7):
                taken += [numbers.take("customer") for _ in range(7)]
        return taken

    # When all take numbers at once
    with ThreadPoolExecutor(4) as threads:
        taken = [one for part in threads.map(work, replicas * 2) for one in part]
    # Then each number was given once
    assert len(set(taken)) == len(taken) == 4 * 20 * 7
