"""A browser, people who visit, and a Stappenplan whose clock stands still."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from shared.host.settings import Settings
from tests.browser.visitors import Visitors
from tests.e2e.api import Api
from tests.e2e.clock import StandingClock
from tests.e2e.stage import Stage, one_process
from tests.servers.chromium import FLAGS, chromium, environment
from tests.servers.premises import ServerError


@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Debian's Chromium, one for all tests here; it paints alike on every machine.

    It ends with them: while it is there a loop runs in this thread, and other tests have their own.
    """
    try:
        program = chromium()
    except ServerError as error:
        pytest.fail(str(error), pytrace=False)
    folder = tmp_path_factory.mktemp("browser")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(
            executable_path=program, args=list(FLAGS), env=dict(environment(folder))
        )


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The embedded default, with a KING that acts only when told, on a Monday morning in March.

    Its clock is nobody's to move, since it is everybody's: whoever lets days pass takes
    `one_process` with a `StandingClock` of their own.
    """
    folder = tmp_path_factory.mktemp("stage")
    settings = Settings(data_dir=folder, http_port=0, log_level="error")
    with one_process(settings, simulate_king=False, clock=StandingClock()) as stage:
        yield stage


@pytest.fixture(scope="package")
def api(stage: Stage) -> Api:
    """What programs ask of that stage: the way by which a customer gets where a page is due."""
    return Api(stage)


@pytest.fixture
def origin(stage: Stage) -> str:
    """Where the pages are, and nobody else's."""
    return stage.addresses["activation"]


@pytest.fixture
def person(browser: Browser, origin: str) -> Iterator[Visitors]:
    """Makes the page of a new person; the test fails in the end if a page did wrong in silence."""
    visitors = Visitors(browser, origin)
    yield visitors
    visitors.leave()
