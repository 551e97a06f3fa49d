"""The process is killed at every point there is, and nothing is lost or doubled."""

import signal
import time
from collections.abc import Iterator

import pytest
from _pytest.mark import ParameterSet

from shared.base.crash_points import POINTS
from tests.crashes.conftest import MakePlant, Record

CUSTOMERS = 40
MID_LOAD = {"publish": 30, "send": 9}
"""At which pass it dies: these points are passed by each message, the others by each batch."""
DIES = 90.0
SHORT = ("commit.after",)
"""These run with every `make test`; all of them with `make faults`."""
GROUNDS = ("rabbitmq+postgresql", "embedded+sqlite")


def cases() -> Iterator[ParameterSet]:
    for ground in GROUNDS:
        for point in POINTS:
            short = point in SHORT and ground == GROUNDS[0]
            marks = [] if short else [pytest.mark.faults]
            yield pytest.param(ground, point, id=f"{ground}-{point}", marks=marks)


@pytest.mark.parametrize(("ground", "point"), list(cases()))
def test_a_process_killed_at_this_point_loses_and_doubles_nothing(
    ground: str, point: str, make_plant: MakePlant, record: Record
) -> None:
    # Given services under load, one of which will kill the process at this point
    plant = make_plant(ground)
    nth = MID_LOAD.get(point.partition(".")[0], 4)
    doomed = plant.start("kill", point, nth)
    with plant.load(CUSTOMERS):
        # When it has died there, and there alone
        assert doomed.wait(DIES) == -signal.SIGKILL, plant.log.read_text()[-3000:]
        # and is started again,
        plant.start()
        began = time.monotonic()
    # Then every sign-up has its effects, each of them once.
    ledger = plant.await_settled()
    seconds = time.monotonic() - began
    record(
        fault=f"killed at {point}, {ground}",
        submitted=len(plant.submitted),
        ledger=ledger,
        seconds_to_recover=seconds,
    )
    ledger.insist()
    assert len(plant.submitted) == CUSTOMERS
