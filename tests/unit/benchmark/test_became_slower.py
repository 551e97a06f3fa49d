"""The quick bench says what became slower, and only that."""

import pytest

from tests.benchmark.judging import Figure, became_slower, judged

LOOP = "the hand-written loop"


def burst(seconds: float, reference: float = 2.0) -> Figure:
    return Figure("a burst", seconds, LOOP, reference, "s")


def test_what_became_slower_is_told_in_words() -> None:
    # Given a burst that took one and a half times as long as the loop at the release,
    recorded = {"a burst": 1.5}
    # When it takes twice as long,
    told = list(became_slower([burst(4.0)], recorded))
    # Then a sentence says by how much, beside what, and what it was.
    assert told == [
        "a burst became 33% slower: 2.00 × the hand-written loop, and 1.50 × at the release"
    ]


@pytest.mark.parametrize("seconds", [1.0, 3.0, 3.4])
def test_what_is_as_quick_or_hardly_slower_is_not_told(seconds: float) -> None:
    # Given a burst on record, When it is quicker, the same, or slower by less than 15 %,
    # Then nothing is told of it.
    assert list(became_slower([burst(seconds)], {"a burst": 1.5})) == []


def test_a_slow_machine_is_no_slower_product() -> None:
    # Given a machine on which everything takes ten times as long, the loop too,
    figures = [burst(30.0, reference=20.0)]
    # When it is judged by what another machine recorded, Then nothing became slower.
    assert list(became_slower(figures, {"a burst": 1.5})) == []


def test_each_figure_is_judged_by_its_own_record() -> None:
    # Given two figures of which one became slower, and one that nobody recorded,
    call = Figure("a call", 9.0, "the bare route", 3.0, "ms")
    new = Figure("a report", 9.0, "the bare route", 3.0, "ms")
    # When they are judged,
    told = list(became_slower([burst(3.0), call, new], {"a burst": 1.5, "a call": 2.0}))
    # Then that one alone is told.
    assert [sentence.partition(" became")[0] for sentence in told] == ["a call"]


@pytest.mark.parametrize(("busy", "names"), [(False, ["a wait", "work"]), (True, ["work"])])
def test_on_a_busy_machine_the_clock_is_no_witness(busy: bool, names: list[str]) -> None:
    # Given a figure by the clock on the wall, and one of the processor's time,
    wait = Figure("a wait", 9.0, LOOP, 3.0, "ms", by_clock=True)
    work = Figure("work", 9.0, LOOP, 3.0, "ms")
    # When the machine is busy with something else, Then the latter alone is judged.
    assert [figure.name for figure in judged([wait, work], busy=busy)] == names
