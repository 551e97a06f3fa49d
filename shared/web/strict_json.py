"""What no route could take is refused before it gets there; JSON is read once, and strictly.

Python's own reader lets through what no database could store and no answer repeat, so the bodies
of requests are read by the parser that reads messages of the broker.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from typing import Any

from fastapi import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.base.errors import Malformed, Problem, TooLarge
from shared.base.media_types import is_json, media_type
from shared.events.envelope import MAX_BODY_BYTES, parse
from shared.web.problems import problem_response


class StrictRequest(Request):
    """A request whose JSON is parsed once, as strictly as a message of the broker."""

    _parsed: Any = None
    _is_parsed = False

    async def json(self) -> Any:
        """The body's JSON.

        Raises:
            Problem: only some readers would take it; the sentence says what to correct.
        """
        if not self._is_parsed:
            try:
                self._parsed = parse(await self.body())
            except Malformed as refusal:
                raise Problem("json_invalid", f"The body cannot be taken: {refusal}.") from None
            self._is_parsed = True
        return self._parsed

    def require_one_content_type(self) -> None:
        """Refuse a request that says twice what its body is: readers differ in which they believe.

        Raises:
            Problem: it does.
        """
        if len(self.headers.getlist("content-type")) > 1:
            sentence = "Send one header Content-Type, which says what the body is."
            raise Problem("content_type_repeated", sentence)

    async def has_json(self) -> bool:
        """Whether there is a body that calls itself JSON, or nothing at all."""
        media = media_type(self.headers.get("content-type"))
        return (not media or is_json(media)) and bool(await self.body())


UPLOADS = "/sign/"
"""Below here payers send scans: forms with a file, larger than any message."""
MAX_UPLOAD_BYTES = 10 * 1024 * 1024 + MAX_BODY_BYTES
"""A scan of 10 MiB, and the rest of its form."""
DRAINED_BYTES = 4 * MAX_UPLOAD_BYTES
"""So much of what is too large is read and thrown away, so that a browser hears the answer."""


LARGE_BYTES = 16 * 1024
"""A form that people fill in has a fraction of it."""
MOST_LARGE = 2
"""Read, a body may take thirty times its length: a mebibyte of `{"":0}` does. So few of the large
ones are read at a time, by whomever they are sent; the others wait as they came."""


Answering = Callable[[Request, Problem], Awaitable[Response]]
"""How a refusal is answered: as whoever asked can read it."""


async def _document(_request: Request, refusal: Problem) -> Response:
    return problem_response(refusal)


class Gate:
    """Refuses bodies larger than any message may be, and NUL wherever text may stand.

    An upload is not kept here: it flows on to its route, which spools it, and is only counted.
    """

    def __init__(self, app: ASGIApp, answer: Answering | None = None) -> None:
        self._app = app
        self._answer = answer or _document
        self._large = asyncio.Semaphore(MOST_LARGE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on what a route may take; answer the rest."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _is_upload(scope):
            await self._app(scope, _counted(receive), send)
            return
        try:
            messages = await _read_bounded(dict(scope["headers"]), receive)
            if messages and messages[-1]["type"] == "http.disconnect":
                return  # Whoever asked is gone, and half a body is none.
            _require_no_nul(scope, messages)
        except Problem as refusal:
            response = await self._answer(Request(scope), refusal)
            await response(scope, receive, send)
            return

        async def replay() -> Message:
            return messages.pop(0) if messages else await receive()

        is_large = sum(len(it.get("body", b"")) for it in messages) > LARGE_BYTES
        async with self._large if is_large else nullcontext():
            await self._app(scope, replay, send)


def _is_upload(scope: Scope) -> bool:
    """Whether it is a form with a file, where there may be one."""
    content_type = dict(scope["headers"]).get(b"content-type", b"").lower()
    is_there = scope["method"] == "POST" and scope["path"].startswith(UPLOADS)
    return (
        is_there and content_type.startswith(b"multipart/form-data") and "\0" not in scope["path"]
    )


def _counted(receive: Receive) -> Receive:
    """The messages of an upload, as long as they are not too many.

    Raises:
        TooLarge: they are; what followed was thrown away as it came.
    """
    size = 0

    async def receive_counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        while size > MAX_UPLOAD_BYTES:
            if size > DRAINED_BYTES or not message.get("more_body"):
                raise _too_large(MAX_UPLOAD_BYTES)
            message = await receive()
            size += len(message.get("body", b""))
        return message

    return receive_counted


async def _read_bounded(headers: dict[bytes, bytes], receive: Receive) -> list[Message]:
    """The messages that a body comes in; its announced length, if any, need not be true."""
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > MAX_BODY_BYTES:
        raise _too_large()
    messages: list[Message] = []
    if length == b"0" and b"transfer-encoding" not in headers:
        return messages
    size = 0
    while not messages or messages[-1].get("more_body"):
        messages.append(await receive())
        size += len(messages[-1].get("body", b""))
        if size > MAX_BODY_BYTES:
            raise _too_large()
    return messages


def _require_no_nul(scope: Scope, messages: list[Message]) -> None:
    """Refuse NUL in path, query and forms; in JSON the parser does.

    Raises:
        Problem: there is one.
    """
    has_nul = "\0" in scope["path"] or b"%00" in scope["query_string"]
    content_types = [value for name, value in scope["headers"] if name == b"content-type"]
    if any(b"form-urlencoded" in content_type.lower() for content_type in content_types):
        body = b"".join(message.get("body", b"") for message in messages)
        has_nul = has_nul or b"%00" in body or b"\0" in body
    if has_nul:
        raise Problem("nul_character", "A NUL character is no part of any text; leave it out.")


def _too_large(most: int = MAX_BODY_BYTES) -> TooLarge:
    return TooLarge("body_too_large", f"A request has at most {most} bytes.")
