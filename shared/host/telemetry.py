"""What the services tell of themselves in log lines, never a person's data."""

import logging
import sys
from contextlib import suppress
from typing import TextIO, cast

from shared.base.log_fields import add_log_fields
from shared.base.optional import without

# It would load rich, which takes as long as all else here, to show faults in a way that we refuse.
with without("rich"):
    import structlog


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
        add_log_fields,
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
