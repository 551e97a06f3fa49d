"""Who is let in: the token is read, looked up among those revoked, and held against the scope."""

import time
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any

import structlog

from shared.base.errors import Forbidden
from shared.persistence.clock import Clock, utc_now
from shared.web.auth import Caller, Grant
from shared.web.token_reading import RefusedToken, granted_by, verified_claims
from shared.web.token_watch import TokenWatch

log = structlog.get_logger()

LINE_EVERY_SECONDS = 1.0
"""How often one reason of refusal is logged: who is refused a thousand times fills no disk."""

MOST_KNOWN = 1000
"""Tokens whose signature is remembered; a program shows the same one with each request."""


class Admission:
    """Lets callers in, and logs whom it refused: never the token, only its id.

    A signature is good for ever, so that it is verified once; whether its token is valid now, and
    was not revoked, is asked each time.
    """

    def __init__(
        self,
        keys: str | Sequence[str],
        watch: TokenWatch | None = None,
        seconds: Callable[[], float] = time.monotonic,
        clock: Clock = utc_now,
    ) -> None:
        self._keys = [keys] if isinstance(keys, str) else keys
        self._known: dict[str, Mapping[str, Any]] = {}
        self._watch = watch
        self._seconds = seconds
        self._clock = clock
        self._lock = Lock()
        self._last_line: dict[str, float] = {}
        self._unlogged: dict[str, int] = {}

    def knows(self, token: str | None) -> bool:
        """Whether the token's signature was found good before, so that to admit it costs little."""
        return token in self._known

    def admit(self, token: str | None, scope: str, address: str) -> Caller:
        """The caller with this token, at this address, who may do what the scope is for.

        Raises:
            RefusedToken: there is no token, or it is of no use here.
            Forbidden: it does not allow what the scope is for.
            Unavailable: whether it was revoked cannot be looked up.
        """
        token_id = None
        try:
            grant = self._read(token)
            token_id = grant.id
            caller = grant.caller(address)
            caller.require_scope(scope)
        except RefusedToken as refusal:
            self._log("token_refused", refusal.code, scope, refusal.token_id)
            raise
        except Forbidden as refusal:
            self._log("scope_refused", refusal.code, scope, token_id)
            raise
        return caller

    def _read(self, token: str | None) -> Grant:
        if not token:
            raise RefusedToken(
                "token_missing", "Send a token in the header `Authorization: Bearer …`."
            )
        grant = granted_by(self._claims(token), self._clock())
        if self._watch is not None:
            self._watch.check(grant)
        return grant

    def _claims(self, token: str) -> Mapping[str, Any]:
        claims = self._known.get(token)
        if claims is None:
            claims = verified_claims(self._keys, token)
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[token] = claims
        return claims

    def _log(self, event: str, reason: str, scope: str, token_id: str | None) -> None:
        """Log a refusal, unless one for the same reason was logged within the second."""
        with self._lock:
            now = self._seconds()
            if now - self._last_line.get(reason, -LINE_EVERY_SECONDS) < LINE_EVERY_SECONDS:
                self._unlogged[reason] = self._unlogged.get(reason, 0) + 1
                return
            self._last_line[reason] = now
            unlogged = self._unlogged.pop(reason, 0)
        log.warning(event, reason=reason, scope=scope, token_id=token_id, unlogged_before=unlogged)
