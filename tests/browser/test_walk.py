"""All seven steps, walked as the people who take them, on the embedded default."""

from collections.abc import Iterator

import pytest

from shared.host.settings import Settings
from tests.browser.people import take_seven_steps
from tests.browser.visitors import Visitors
from tests.browser.walk import OFFICE, Walk
from tests.e2e.stage import Stage, one_process


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The embedded default, with a KING that collects what it is asked to."""
    folder = tmp_path_factory.mktemp("walk")
    settings = Settings(data_dir=folder, http_port=0, log_level="error")
    with one_process(settings) as stage:
        stage.open_office(OFFICE, review="always")
        yield stage


@pytest.mark.parametrize(
    "javascript",
    [True, pytest.param(False, marks=pytest.mark.slow)],
    ids=["scripts", "no-scripts"],
)
def test_seven_steps_are_taken_by_the_people_whose_they_are(
    stage: Stage, person: Visitors, javascript: bool
) -> None:
    # Given nothing but the office's sign-up form, When everybody does what is theirs, Then two
    # customers, of whom one is paid for by another, have all seven steps behind them.
    take_seven_steps(Walk(stage, person, javascript=javascript))
