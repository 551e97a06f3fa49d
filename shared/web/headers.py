"""What every answer says beside its contents: who may keep or frame it, that it is what it is."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PERSONAL = "/api"
"""Whatever is answered below here may be about people."""


Headers = tuple[tuple[bytes, bytes], ...]

ALWAYS: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
)
NOT_KEPT: Headers = (*ALWAYS, (b"cache-control", b"no-store"))
"""As they go over the wire; an answer's own names are in small letters, too (ASGI)."""


class AnswerHeaders:
    """Adds that an answer is what it says and is framed by nobody, and who may keep it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on the request; add to the answer what it does not say itself."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_personal = scope["path"].startswith(PERSONAL)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                add = NOT_KEPT if is_personal or message["status"] >= 400 else ALWAYS
                message["headers"] = _with(message.get("headers", ()), add)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _with(headers: Iterable[tuple[bytes, bytes]], added: Headers) -> list[tuple[bytes, bytes]]:
    """The headers of an answer, and those of these that it does not say itself."""
    said = list(headers)
    names = {name for name, _ in said}
    return [*said, *(header for header in added if header[0] not in names)]
