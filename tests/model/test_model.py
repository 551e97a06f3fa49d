"""Queue, inbox, outbox, sweeper, retry and replay under everything that may happen to them."""

from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from shared.settings import Settings
from tests.model.machine import Model

SHORT = settings(
    max_examples=40,
    stateful_step_count=25,
    derandomize=True,
    database=None,
    deadline=None,
    print_blob=False,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


def test_no_ghost_no_loss_no_double_effect(tmp_path: Path) -> None:
    Model.make_settings = lambda: Settings(
        broker_url="amqp://nobody",
        database_url=f"sqlite:///{tmp_path}/{{service}}.db",
        data_dir=tmp_path,
    )
    run_state_machine_as_test(Model, settings=SHORT)
