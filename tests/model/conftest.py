"""Where the model's two services keep their books: SQLite or PostgreSQL."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from shared.host.settings import Settings
from tests.model.chain import SERVICES
from tests.model.ground import Ground
from tests.servers.postgres import Databases

ELSEWHERE = "amqp://broker.example"
"""Not the embedded default, where a replay would go by the database; nobody connects to it."""


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[Ground]:
    url = f"sqlite:///{tmp_path}/{{service}}.db"
    ground = Ground(Settings(broker_url=ELSEWHERE, database_url=url, data_dir=tmp_path))
    yield ground
    ground.close()


@pytest.fixture
def on_postgresql(databases: Databases, tmp_path: Path) -> Iterator[Ground]:
    url = databases.make_each(SERVICES)
    ground = Ground(Settings(broker_url=ELSEWHERE, database_url=url, data_dir=tmp_path))
    yield ground
    ground.close()
    for name in SERVICES:
        databases.drop(url.replace("{service}", name))


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The model provokes thousands of warnings; what matters it says by itself."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)
