"""What is told goes to standard error, and nobody stops when that cannot be written."""

import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import structlog

from shared.events import OnboardingWithdrawn
from shared.host.telemetry import configure_logging
from shared.processing import Effect, on
from shared.processing.testing import Harness, onboarding

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
    structlog.get_logger().info("broker_connected")
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
    structlog.get_logger().info("broker_connected")
    structlog.reset_defaults()


def test_the_log_goes_where_standard_error_leads_now(
    log: structlog.typing.FilteringBoundLogger, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given a log that was set up before, when something is told, then it is read where
    # standard error leads by now.
    log.info("broker_connected")
    assert "broker_connected" in capsys.readouterr().err


WITHDRAWN = OnboardingWithdrawn(reason="ziet ervan af", by="/staff/anna")
MESSAGE_FIELDS = ("service", "message_id", "onboarding_id", "event_type")


def look_up() -> None:
    """What a handler calls, far from any message."""
    structlog.get_logger().info("looked_up", catalogue="basis")


def withdraw(_event: OnboardingWithdrawn) -> list[Effect]:
    look_up()
    structlog.get_logger().warning("withdrawn", event_type="named by the line itself")
    thread = Thread(target=structlog.get_logger().info, args=["elsewhere"])
    thread.start()
    thread.join()
    return []


def lines(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    """What was logged, as a collector reads it: by its name."""
    written = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    return {line["event"]: line for line in written}


@pytest.mark.usefixtures("log")
def test_a_line_that_is_logged_inside_a_handler_bears_its_message(
    capsys: pytest.CaptureFixture[str],
) -> None:
    # Given a service whose handler logs, and calls what logs,
    service = Harness([on(OnboardingWithdrawn, withdraw)])
    # When it hears an event,
    service.hear(WITHDRAWN, about="bakkerij")
    structlog.get_logger().info("afterwards")
    logged = lines(capsys)
    # Then each line tells about which message, of whom, it was logged,
    line = logged["looked_up"]
    assert line["service"] == "harness"
    assert line["onboarding_id"] == onboarding("bakkerij")
    assert line["event_type"] == OnboardingWithdrawn.event_type
    assert line["message_id"]
    assert line["catalogue"] == "basis"
    # a line that names a field itself keeps its own,
    assert logged["withdrawn"]["event_type"] == "named by the line itself"
    assert logged["withdrawn"]["message_id"] == line["message_id"]
    # and none that has nothing to do with the message bears it.
    for name in ("elsewhere", "afterwards"):
        assert [field for field in MESSAGE_FIELDS if field in logged[name]] == []
