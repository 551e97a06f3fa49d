"""Queue, inbox, outbox, sweeper, retry and replay, whatever happens to them and in what order.

`tests/crashes` and `tests/faults` break real servers at the places that somebody thought of. Here
hypothesis thinks of the order: it drives the real code of two services, one behind the other,
against a broker, a database and people that do whatever they may do (`machine.py`), and after
each step the books are compared (`truths.py`). No threads and no sleeping: an example that fails
fails again.
"""

import pytest
from hypothesis import Phase

from tests.model.ground import Ground
from tests.model.machine import explore


def test_no_ghost_no_loss_no_double_effect(on_sqlite: Ground) -> None:
    explore(on_sqlite, 25, 35, Phase.generate, Phase.shrink)


def test_no_ghost_no_loss_no_double_effect_on_postgresql(on_postgresql: Ground) -> None:
    explore(on_postgresql, 5, 30)


@pytest.mark.faults
def test_no_ghost_no_loss_no_double_effect_in_many_more_histories(on_sqlite: Ground) -> None:
    explore(on_sqlite, 200, 60)
