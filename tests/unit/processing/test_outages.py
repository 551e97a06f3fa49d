"""A thread that waits while database or broker is away, and goes on when they are back."""

from collections.abc import Callable

import pytest

from shared.base.errors import InfrastructureDown
from shared.processing.worker.threads import StoppableThread


def after(*faults: Exception) -> Callable[[], None]:
    """Work that meets these, one at each attempt, and goes well from then on."""
    left = list(faults)

    def work() -> None:
        if left:
            raise left.pop(0)

    return work


def test_whoever_waited_out_an_outage_is_at_work_again() -> None:
    thread = StoppableThread("billing-consumer")
    # Given a database that is away for two attempts, When they are repeated, Then the work is done.
    assert thread.retry_while_down(after(InfrastructureDown("away"), InfrastructureDown("away")))
    assert not thread.paused


def test_an_outage_that_ends_with_another_fault_is_over_when_work_goes_well() -> None:
    # Given a thread whose work met another fault when the database was back,
    thread = StoppableThread("billing-consumer")
    with pytest.raises(ValueError, match="fault"):
        thread.retry_while_down(after(InfrastructureDown("away"), ValueError("fault")))
    # When its next piece of work goes well, Then nobody is told any more that it is paused.
    assert thread.retry_while_down(after())
    assert not thread.paused
