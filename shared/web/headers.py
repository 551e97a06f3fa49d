"""What every answer says beside its contents: who may keep or frame it, that it is what it is."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PERSONAL = "/api"
"""Whatever is answered below here may be about people."""


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
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Content-Security-Policy", "frame-ancestors 'none'")
                if is_personal or message["status"] >= 400:
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)
