"""One running system, its orders, and KING's back office that works at the desk."""

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
    settings = Settings(data_dir=tmp_path_factory.mktemp("desk"), http_port=0, log_level="error")
    with one_process(settings, simulate_king=False) as stage:
        stage.open_office("0077", email="kantoor@zuid.example")
        yield stage


@pytest.fixture(scope="package")
def api(stage: Stage) -> Api:
    return Api(stage)


@pytest.fixture
def staff(stage: Stage) -> Staffing:
    def sign_in(role: str = "king", office: str | None = None) -> Visitor:
        return staff_visitor(stage.settings, stage.addresses["billing"], role, office)

    return sign_in


@pytest.fixture
def king(staff: Staffing) -> Visitor:
    """Somebody of KING's back office."""
    return staff("king")
