"""A small OpenID Connect provider, real enough to be lied by: discovery, keys, codes with PKCE."""

import json
import threading
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID = "stappenplan"
CLIENT_SECRET = "a secret of the tests"

Claims = dict[str, Any]


@cache
def _keys() -> tuple[RSAKey, RSAKey]:
    """The key of all these providers, and one that is not theirs, although it says so."""
    return (
        RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}),
        RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}),
    )


@dataclass
class OpenIdProvider:
    """Signs in whomever `approve` says; `change` spoils what its tokens say."""

    change: Callable[[Claims], None] = lambda _claims: None
    algorithm: str = "RS256"
    signs_with_another_key: bool = False
    is_away: bool = False
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    configuration: Claims = field(default_factory=dict)
    _codes: dict[str, tuple[dict[str, str], Claims]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._key, self._other = _keys()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def approve(self, address: str, **claims: Any) -> dict[str, str]:
        """Somebody signs in there; what the browser is sent back with."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert address.startswith(f"{self.issuer}/authorize?")
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = uuid4().hex
        self._codes[code] = (asked, claims)
        return {"state": asked["state"], "code": code}

    def answer(self, path: str, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        if self.is_away:
            return 503, {}
        if path == "/.well-known/openid-configuration":
            return 200, self._discovery() | self.configuration
        if path == "/keys":
            return 200, {"keys": [self._key.as_dict(private=False)]}
        return self._token(form, authorization) if path == "/token" else (404, {})

    def _discovery(self) -> Claims:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }

    def _token(self, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        who = b64decode(authorization.removeprefix("Basic ")).decode()
        asked, claims = self._codes.pop(form.get("code", ""), ({}, {}))
        challenge = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest())
        is_right = (
            [unquote(part.replace("+", " ")) for part in who.split(":")]
            == [CLIENT_ID, CLIENT_SECRET]
            and asked.get("code_challenge") == challenge.decode().rstrip("=")
            and asked.get("redirect_uri") == form.get("redirect_uri")
        )
        if not is_right:
            return 400, {"error": "invalid_grant"}
        return 200, {
            "access_token": "of no use",
            "token_type": "Bearer",
            "id_token": self._id_token(asked, claims),
        }

    def _id_token(self, asked: dict[str, str], extra: Claims) -> str:
        now = int(self.clock().timestamp())
        claims: Claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": "person-1",
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **extra,
        }
        self.change(claims)
        if self.algorithm == "none":
            head = {"alg": "none", "typ": "JWT"}
            parts = (urlsafe_b64encode(json.dumps(part).encode()) for part in (head, claims))
            return ".".join([*(part.decode().rstrip("=") for part in parts), ""])
        key = self._other if self.signs_with_another_key else self._key
        return jwt.encode({"alg": self.algorithm, "kid": "one"}, claims, key)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._respond({})

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                fields = parse_qs(self.rfile.read(length).decode())
                self._respond({name: values[0] for name, values in fields.items()})

            def _respond(self, form: dict[str, str]) -> None:
                path, authorization = urlsplit(self.path).path, self.headers["Authorization"] or ""
                status, document = provider.answer(path, form, authorization)
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None: ...

        return Handler
