"""Pages that show a change by themselves: a stream that says when what is shown has changed.

A stream that has begun can be answered with nothing else, and what is raised in it leaves whoever
opened it hanging: so what refuses is asked before, and a stream whose page would be refused ends.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent

from shared.base.errors import Unavailable
from shared.web.pages.site import site_of
from shared.web.pages.visitors import find_staff, signed_in, visitor_of
from shared.web.problems import as_problem, route_of

__all__ = ["EventSourceResponse", "ServerSentEvent", "changes", "room"]

LOOK_SECONDS = 1.0
"""How long a change may wait to be seen."""
STREAM_SECONDS = 600.0
"""How long one stream lasts; the page opens the next one by itself."""
MOST_STREAMS = 200
"""At a time in one process; whoever finds no room comes back later, and still has the page."""
MOST_OF_ONE = 20
"""So many of them for one visitor, so that nobody takes all there are."""
COME_BACK_SECONDS = 60

_open: Counter[str] = Counter()
"""Streams by their visitors; read and written in the thread of the event loop alone."""


async def room(request: Request) -> AsyncIterator[None]:
    """A dependency that has a place for a stream, from before it begins until it has ended.

    A generator that nobody reads any more is finished whenever Python comes round to it; what a
    dependency does at its end is done with the answer.

    Raises:
        Unavailable: so many are open, of this visitor or of all, that there is no room.
    """
    visitor = visitor_of(request)
    if _open.total() >= MOST_STREAMS or _open[visitor] >= MOST_OF_ONE:
        sentence = "Too many pages are open; this one still can be reloaded."
        raise Unavailable("no_room", sentence, extra={"retry_after": COME_BACK_SECONDS})
    _open[visitor] += 1
    try:
        yield
    finally:
        _open[visitor] -= 1
        if not _open[visitor]:
            del _open[visitor]


async def changes(request: Request, read: Callable[[], str]) -> AsyncIterator[ServerSentEvent]:
    """Say `changed` whenever `read` returns another version than the one that the page shows.

    `read` blocks, and runs in a worker thread; the version that is shown comes as `since`. The
    stream ends when `read` fails, and when whoever opened it is not signed in any more; the page
    comes back with what it has by then, and is answered accordingly.
    """
    site, shown = site_of(request), request.query_params.get("since", "")
    until = time.monotonic() + STREAM_SECONDS
    while time.monotonic() < until and not site.stopping.is_set():
        version = await run_in_threadpool(_version, request, read)
        if version is None:
            return
        if version != shown:
            shown = version
            yield ServerSentEvent(event="changed", data=version)
        await asyncio.sleep(LOOK_SECONDS)


def _version(request: Request, read: Callable[[], str]) -> str | None:
    """What the page would show now; None where it would be refused."""
    try:
        has_left = signed_in(request) is not None and find_staff(request) is None
        return None if has_left else read()
    except Exception as error:
        as_problem(error, route_of(request))  # It logs what is our own fault.
        return None
