"""Queue, inbox, outbox, sweeper, retry and replay under everything that may happen to them."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from shared.settings import Settings
from tests.model.bugs import BUGS, Bug
from tests.model.machine import Model
from tests.model.world import World

SHORT = settings(
    max_examples=60,
    stateful_step_count=35,
    derandomize=True,
    database=None,
    deadline=None,
    print_blob=False,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def on_sqlite(tmp_path: Path):
    Model.make_world = lambda: World(
        Settings(
            broker_url="amqp://nobody",
            database_url=f"sqlite:///{tmp_path}/{{service}}.db",
            data_dir=tmp_path,
        )
    )


def test_no_ghost_no_loss_no_double_effect(on_sqlite) -> None:
    run_state_machine_as_test(Model, settings=SHORT)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_bug(bug, on_sqlite) -> None:
    with bug(), pytest.raises(AssertionError) as red:
        run_state_machine_as_test(Model, settings=settings(SHORT, phases=[Phase.generate]))
    print(red.value)
