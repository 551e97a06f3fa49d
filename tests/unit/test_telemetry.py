"""What is told goes to standard error, and nobody stops when that cannot be written."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from pathlib import Path

import pytest
import structlog

from shared.host.telemetry import configure_logging

FULL = Path("/dev/full")
"""A file on a disk that is always full (Linux)."""


@pytest.fixture
def log() -> Iterator[structlog.typing.FilteringBoundLogger]:
    """A log as the processes set it up."""
    configure_logging()
    yield structlog.get_logger()
    structlog.reset_defaults()


def test_a_full_disk_behind_the_log_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a log that goes to a disk that is full,
    full = FULL.open("w", buffering=1)
    monkeypatch.setattr(sys, "stderr", full)
    configure_logging()
    # When something is told, then it is lost, and whoever told it goes on.
    structlog.get_logger().info("broker_line_up")
    structlog.reset_defaults()
    with suppress(OSError):
        full.close()


def test_a_stream_that_was_closed_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given that whoever read the log has gone,
    gone = StringIO()
    monkeypatch.setattr(sys, "stderr", gone)
    configure_logging()
    gone.close()
    # When something is told, then whoever told it goes on.
    structlog.get_logger().info("broker_line_up")
    structlog.reset_defaults()


def test_the_log_goes_where_standard_error_leads_now(
    log: structlog.typing.FilteringBoundLogger, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given a log that was set up before, when something is told, then it is read where
    # standard error leads by now.
    log.info("broker_line_up")
    assert "broker_line_up" in capsys.readouterr().err
