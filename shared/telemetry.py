"""What the services tell of themselves: log lines and numbers, never a person's data."""

import logging
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO, cast

import structlog

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Gauge

    from shared.processing.runtime import Runtime


class _StandardError:
    """Standard error as it is now; a line that cannot be written stops nobody's work.

    The disk behind it may be full, or whoever read it gone.
    """

    def write(self, text: str) -> None:
        """Write it, if that is possible."""
        with suppress(OSError, ValueError):
            sys.stderr.write(text)

    def flush(self) -> None:
        """Hand over what was written, if that is possible."""
        with suppress(OSError, ValueError):
            sys.stderr.flush()


def configure_logging(level: str = "info") -> None:
    """Log to standard error: lines for a person at a terminal, JSON for a collector otherwise."""
    at_terminal = sys.stderr.isatty()
    # Its own way to show a fault would print every variable: people's data among them.
    for_people = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    renderer: structlog.typing.Processor = (
        for_people if at_terminal else structlog.processors.JSONRenderer()
    )
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if not at_terminal:
        processors.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(file=cast(TextIO, _StandardError())),
        cache_logger_on_first_use=False,
    )


def exposition(runtimes: Sequence["Runtime"]) -> tuple[bytes, str]:
    """The numbers of these services in Prometheus' text format, counted when asked."""
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.exposition import CONTENT_TYPE_LATEST

    from shared.processing.census import count

    registry = CollectorRegistry()
    gauges = _gauges(registry)
    for runtime in runtimes:
        name = runtime.service.name
        gauges["ready"].labels(name).set(0 if runtime.troubles() else 1)
        with runtime.reading() as session:
            census = count(session)
        gauges["outbox"].labels(name).set(census.unpublished)
        for status, number in census.inbox.items():
            gauges["inbox"].labels(name, status).set(number)
        for status, number in census.notifications.items():
            gauges["notifications"].labels(name, status).set(number)
    return generate_latest(registry), CONTENT_TYPE_LATEST


def _gauges(registry: "CollectorRegistry") -> "dict[str, Gauge]":
    """What is counted, each number with its labels."""
    from prometheus_client import Gauge

    return {
        "inbox": Gauge(
            "stappenplan_inbox_messages",
            "Messages by state",
            ["service", "status"],
            registry=registry,
        ),
        "outbox": Gauge(
            "stappenplan_outbox_unpublished",
            "Events not yet confirmed by the broker",
            ["service"],
            registry=registry,
        ),
        "notifications": Gauge(
            "stappenplan_notifications",
            "Mails and texts by state",
            ["service", "status"],
            registry=registry,
        ),
        "ready": Gauge(
            "stappenplan_ready", "1 when the service can work now", ["service"], registry=registry
        ),
    }
