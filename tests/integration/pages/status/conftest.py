"""One running system, its customers, and customers who follow their links."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from shared.host.settings import Settings
from shared.links import Purpose
from tests.e2e.stage import Stage, one_process
from tests.integration.http.conftest import Api
from tests.visitors import Visitor


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The embedded default, with a KING that does nothing by itself."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("pages"), http_port=0, log_level="error")
    with one_process(settings, simulate_king=False) as stage:
        stage.open_office("0077", review="always", email="kantoor@zuid.example")
        yield stage


@pytest.fixture(scope="package")
def api(stage: Stage) -> Api:
    return Api(stage)


class Customer(Visitor):
    """A customer in front of the page that their link leads to."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.settings, stage.addresses["activation"])

    def link(self, onboarding_id: str, days_ago: float = 0) -> str:
        """The path of the link that a mail of so many days ago brought."""
        at = datetime.now(UTC) - timedelta(days=days_ago)
        return self.site.links.path(Purpose.STATUS, onboarding_id, at)


@pytest.fixture
def customer(stage: Stage) -> Customer:
    return Customer(stage)
