"""One running system, its customers, and the people who check them."""

from collections.abc import Callable, Iterator

import pytest

from shared.host.settings import Settings
from tests.e2e.stage import Stage, one_process
from tests.integration.http.conftest import Api
from tests.visitors import Visitor, staff_visitor

Staffing = Callable[..., Visitor]


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


@pytest.fixture
def staff(stage: Stage) -> Staffing:
    def sign_in(role: str = "office", office: str | None = "0077") -> Visitor:
        at = None if role in ("king", "operator") else office
        return staff_visitor(stage.settings, stage.addresses["registration"], role, at)

    return sign_in
