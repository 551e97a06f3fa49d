"""Somebody who has just started it: six doors, one click each."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from shared.host.settings import Settings
from tests.browser.accessible import assert_accessible
from tests.browser.screens import assert_looks_like
from tests.browser.usable import assert_usable
from tests.browser.visitors import Visitors
from tests.e2e.stage import Stage, one_process


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """All of it on one machine, as `make run` starts it."""
    folder: Path = tmp_path_factory.mktemp("first")
    settings = Settings(data_dir=folder, http_port=0, log_level="error")
    with one_process(settings, first_run=True) as stage:
        yield stage


@pytest.fixture
def origin(first_run: Stage) -> str:
    return first_run.addresses["activation"]


def test_the_six_doors_at_a_glance(person: Visitors) -> None:
    page = person()
    page.goto("/")
    # By the clock on the wall, so the books of the last hour are of each run.
    assert_looks_like(page, "first-run", hide=[page.locator("#behind")])


@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_first_run_is_for_everybody(person: Visitors, language: str) -> None:
    # Given somebody who has sent one customer all the way
    page = person(language=language)
    page.goto("/")
    page.get_by_role("button", name="Eén klant" if language == "nl" else "One customer").click()
    expect(page.locator("#behind progress[value='7']")).to_be_visible(timeout=60_000)
    # When they look at each page, Then axe finds nothing, and keys reach everything.
    assert_accessible(page)
    page.goto("/mailbox")
    assert_accessible(page)
    page.locator("tbody a").last.click()
    assert_accessible(page)
    if language == "nl":
        page.goto("/")
        assert_usable(page)


def test_each_door_is_one_click_away(person: Visitors) -> None:
    page = person()
    for button, heading in (
        ("Naar de werklijst", "Werklijst"),
        ("Naar de balie", "Bevestigingen verwerken"),
        ("Naar beheer", "Beheer"),
    ):
        page.goto("/demo")
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    for link in ("Inschrijven", "Uitproberen"):
        page.goto("/demo")
        page.get_by_role("link", name=link).click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
