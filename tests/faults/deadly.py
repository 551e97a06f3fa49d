"""`stappenplan`, but with one message that kills whoever handles it: the tests' own program.

STAPPENPLAN_TESTS_DEADLY names the onboarding whose message it is, for registration alone.
"""

import os
import signal
from collections.abc import Sequence
from typing import Any

from infra.cli import main
from shared.processing.handling import Handling
from shared.processing.messages import Delivery

run = Handling.run


def deadly(self: Handling, session: Any, deliveries: Sequence[Delivery], now: Any) -> Any:
    """Die as from a fault in a library: at once, without a word."""
    if any(one.envelope.subject == os.environ["STAPPENPLAN_TESTS_DEADLY"] for one in deliveries):
        os.kill(os.getpid(), signal.SIGKILL)
    return run(self, session, deliveries, now)


if __name__ == "__main__":
    Handling.run = deadly  # type: ignore[method-assign]
    main()
