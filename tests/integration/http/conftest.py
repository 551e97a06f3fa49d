"""One running system for all tests of its API, and callers with tokens of their own."""

from collections.abc import Iterator

import pytest

from shared.host.settings import Settings
from tests.e2e.api import Api
from tests.e2e.stage import Stage, one_process

__all__ = ["Api"]


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The embedded default, with a KING that does nothing by itself."""
    folder = tmp_path_factory.mktemp("http")
    settings = Settings(data_dir=folder, http_port=0, log_level="error")
    with one_process(settings, simulate_king=False) as stage:
        stage.open_office("0077", review="always", email="kantoor@zuid.example")
        yield stage


@pytest.fixture(scope="package")
def api(stage: Stage) -> Api:
    return Api(stage)
