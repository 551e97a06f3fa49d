"""The harness is tried on little pages: it needs no Stappenplan."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.harness.little_pages import LittlePages, little_pages
from tests.browser.visitors import Visitors


@pytest.fixture(scope="package")
def pages() -> Iterator[LittlePages]:
    with little_pages() as pages:
        yield pages


@pytest.fixture
def origin(pages: LittlePages) -> str:
    return pages.address


@pytest.fixture
def suspect(browser: Browser, origin: str) -> Iterator[Visitors]:
    """Makes pages whose faults are the test's own business."""
    visitors = Visitors(browser, origin)
    yield visitors
    visitors.close()
