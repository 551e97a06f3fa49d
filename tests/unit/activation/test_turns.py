"""Log-ins wait for each other in a short queue, in which nobody takes a place for nothing."""

import asyncio
import threading

import pytest

from services.activation.login.turns import Turns

ADDRESS = "203.0.113.7"


def test_a_turn_that_could_not_begin_takes_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a machine that begins no more threads, and as many log-ins as there are places,
    turns = Turns(threads=2, places=3, places_of_one=3)

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def log_in() -> int:
        return await asyncio.wait_for(turns.run(ADDRESS, lambda: 1), 5)

    async def several() -> int:
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refuse)
            for _ in range(3):
                with pytest.raises(RuntimeError):
                    await log_in()
        return await log_in()

    # When it does again, Then the next one logs in.
    assert asyncio.run(several()) == 1
