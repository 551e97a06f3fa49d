"""Queue, inbox, outbox, sweeper, retry and replay, whatever happens to them and in what order.

`tests/crashes` and `tests/faults` break real servers at the places that somebody thought of. Here
hypothesis thinks of the order: it drives the real code of two services, one behind the other,
against a broker, a database and people that do whatever they may do (`machine.py`), and after
each step the books are compared (`truths.py`). No threads and no sleeping: an example that fails
fails again.
"""

import sys

import pytest
from hypothesis import Phase

from shared.base import crash_points
from tests.model.ground import Ground
from tests.model.machine import explore
from tests.model.process import PLACES


def test_the_process_dies_in_every_module_that_passes_a_named_point() -> None:
    # A module that imports the point under its own name would otherwise never be met by a fault.
    passing = {
        module
        for name, module in sys.modules.items()
        if name.startswith("shared.processing.")
        and vars(module).get("reached") is crash_points.reached
    }
    assert passing == set(PLACES)


def test_no_ghost_no_loss_no_double_effect(on_sqlite: Ground) -> None:
    explore(on_sqlite, 25, 35, Phase.generate, Phase.shrink)


def test_no_ghost_no_loss_no_double_effect_on_postgresql(on_postgresql: Ground) -> None:
    explore(on_postgresql, 5, 30)


@pytest.mark.faults
def test_no_ghost_no_loss_no_double_effect_in_many_more_histories(on_sqlite: Ground) -> None:
    explore(on_sqlite, 200, 60)
