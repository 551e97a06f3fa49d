"""Twelve replicas that start at one moment on empty databases take in what comes, exactly once."""

from collections.abc import Iterator

import pytest

from shared.host.settings import Settings
from tests.faults.conftest import Note
from tests.faults.stage import Stage, on_stage, within

CREW = [["signup"], ["registration"], ["billing"], ["activation"]] * 3
SIGNUPS = 2_000
ALL_SUBMITTED = 1800.0
"""Seconds within which the website has got rid of all of them, as fast as they go through: twelve
processes and two servers may have to do with two cores."""


@pytest.fixture
def stage(ground: Settings) -> Iterator[Stage]:
    """Three processes of each service, started together where there is not even a table."""
    with on_stage(ground, crew=CREW, most=SIGNUPS) as stage:
        yield stage


def test_twelve_replicas_from_empty_databases(stage: Stage, note: Note) -> None:
    # Given twelve processes that started at one moment, none of which died of it,
    assert all(process.poll() is None for process in stage.processes.values()), stage.tail()
    # When two thousand sign-ups come,
    within(ALL_SUBMITTED, lambda: len(stage.load.submitted) == SIGNUPS, "all are submitted")
    # Then each has its effects, once
    seconds = within(ALL_SUBMITTED, lambda: stage.books.arrived() == SIGNUPS, "all went through")
    note("twelve replicas from empty databases, 2,000 sign-ups", stage.ledger(), seconds)
