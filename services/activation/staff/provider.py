"""The OpenID Connect provider by which staff sign in: authorization code with PKCE.

Its configuration and its keys are fetched for each sign-in: staff sign in once a day, and a key
that it has replaced is no trouble. What it says is believed only when its signature, issuer,
audience, time and nonce are right (OpenID Connect Core 1.0, section 3.1.3.7).
"""

import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from services.activation.staff.attempts import Attempt
from services.activation.staff.sessions import StaffMember
from shared.base.errors import StappenplanError, Unavailable
from shared.base.text import NotPlainText, normal
from shared.base.words import Words
from shared.host.staff_settings import StaffSettings, is_safe_address
from shared.web.auth import MAX_NAME_CHARACTERS
from shared.web.scopes import STAFF_ROLES

if TYPE_CHECKING:
    from authlib.integrations.httpx_client import OAuth2Client  # type: ignore[import-untyped]

SCOPE = "openid profile email"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures that only the provider can make: neither `none` nor one with a shared secret."""
TIMEOUT_SECONDS = 10.0
AT_A_TIME = 8
"""So many threads may wait for the provider: one that hangs must not take all there are."""
LEEWAY_SECONDS = 60
NAMES = ("name", "preferred_username", "email", "sub")
"""By the first of these claims that can be shown a person is named in the record of acts."""

NO_ROLE = Words(
    "Uw organisatie heeft u herkend, maar geeft u hier geen rol. Vraag uw beheerder om de rol "
    "office, activator, king of operator.",
    "Your organisation knows you, but gives you no role here. Ask your administrator for the role "
    "office, activator, king or operator.",
)
NO_OFFICE = Words(
    "Uw organisatie heeft u herkend, maar noemt geen kantoor bij uw rol, of juist een kantoor bij "
    "een rol voor alle kantoren. Vraag uw beheerder dit te herstellen.",
    "Your organisation knows you, but names no office with your role, or an office with a role "
    "for all offices. Ask your administrator to mend this.",
)

_places = threading.BoundedSemaphore(AT_A_TIME)


class ProviderUnavailable(StappenplanError):
    """It does not answer, or not as a provider does."""


class NotVerified(StappenplanError):
    """What it answered does not prove who it is about; the text says what was wrong with it."""


class NotAllowed(StappenplanError):
    """It knows the person, who may do nothing here; `words` say why."""

    def __init__(self, words: Words) -> None:
        super().__init__(words.en)
        self.words = words


@dataclass(frozen=True)
class Provider:
    """The provider that the settings name; every call may wait for it, in the caller's thread."""

    settings: StaffSettings

    def address(self, attempt: Attempt, redirect_uri: str) -> str:
        """Where the person goes on to, to sign in there.

        Raises:
            ProviderUnavailable: it cannot be reached, or its configuration is of no use.
            Unavailable: too many wait for it.
        """
        with self._client(redirect_uri) as client:
            url, _ = client.create_authorization_url(
                self._configuration(client)["authorization_endpoint"],
                state=attempt.state,
                code_verifier=attempt.verifier,
                nonce=attempt.nonce,
            )
        return str(url)

    def member(self, attempt: Attempt, code: str, redirect_uri: str, now: datetime) -> StaffMember:
        """Who came back with this code.

        Raises:
            ProviderUnavailable, Unavailable: as `address`.
            NotVerified: it refuses the code, or what it says of the person is not proven.
            NotAllowed: they have no role here.
        """
        with self._client(redirect_uri) as client:
            configuration = self._configuration(client)
            token = _exchange(client, configuration["token_endpoint"], code, attempt.verifier)
            keys = _fetch(client, configuration["jwks_uri"])
        claims = self._claims(token, keys, attempt.nonce, now)
        return self._member_of(claims)

    @contextmanager
    def _client(self, redirect_uri: str) -> "Iterator[OAuth2Client]":
        import httpx

        if not _places.acquire(blocking=False):
            raise Unavailable("too_busy", "Too many sign in at this moment; please try again.")
        try:
            settings = self.settings
            with _client_class()(
                client_id=settings.oidc_client_id,
                client_secret=settings.oidc_client_secret or None,
                scope=SCOPE,
                redirect_uri=redirect_uri,
                code_challenge_method="S256",
                timeout=TIMEOUT_SECONDS,
            ) as client:
                yield client
        except httpx.HTTPError as error:
            raise ProviderUnavailable(type(error).__name__) from error
        finally:
            _places.release()

    def _configuration(self, client: "OAuth2Client") -> Mapping[str, str]:
        """Its endpoints (OpenID Connect Discovery 1.0)."""
        issuer = self.settings.oidc_issuer
        url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        configuration = _fetch(client, url)
        if configuration.get("issuer") != issuer:
            raise ProviderUnavailable("its configuration is another issuer's")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not is_safe_address(str(configuration.get(name, ""))):
                raise ProviderUnavailable(f"its {name} is missing, or not https")
        return configuration

    def _claims(
        self, token: Mapping[str, Any], keys: Mapping[str, Any], nonce: str, now: datetime
    ) -> Mapping[str, Any]:
        from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        client_id = self.settings.oidc_client_id
        options = {
            "iss": {"essential": True, "value": self.settings.oidc_issuer},
            "aud": {"essential": True, "value": client_id},
        }
        params = {"nonce": nonce, "client_id": client_id}
        try:
            key_set = KeySet.import_key_set({"keys": list(keys["keys"])})
            signed = jwt.decode(str(token["id_token"]), key_set, algorithms=ALGORITHMS)
            # Its at_hash binds an access token, which we have no use for.
            claims = CodeIDToken(signed.claims, signed.header, options, params)
            claims.validate(now=int(now.timestamp()), leeway=LEEWAY_SECONDS)
        except (JoseError, KeyError, TypeError, ValueError) as error:
            raise NotVerified(f"{type(error).__name__}: {error}") from error
        return dict(claims)

    def _member_of(self, claims: Mapping[str, Any]) -> StaffMember:
        role = _only_role(claims.get(self.settings.oidc_role_claim))
        if role is None:
            raise NotAllowed(NO_ROLE)
        office = claims.get(self.settings.oidc_office_claim) or None
        try:
            return StaffMember.of(_name(claims), role, office)
        except ValueError:
            raise NotAllowed(NO_OFFICE) from None


def _client_class() -> "type[OAuth2Client]":
    """Authlib's client, upon the HTTP library that we have; its advice to change that is unsaid."""
    from authlib.deprecate import AuthlibDeprecationWarning  # type: ignore[import-untyped]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AuthlibDeprecationWarning)
        from authlib.integrations.httpx_client import OAuth2Client
    return OAuth2Client  # type: ignore[no-any-return]


def _fetch(client: "OAuth2Client", url: str) -> Mapping[str, Any]:
    """A JSON object that it publishes."""
    response = client.request("GET", url, withhold_token=True).raise_for_status()
    try:
        document = response.json()
    except ValueError as error:
        raise ProviderUnavailable("it answers with something else than JSON") from error
    if not isinstance(document, dict):
        raise ProviderUnavailable("it answers with something else than an object")
    return document


def _exchange(client: "OAuth2Client", url: str, code: str, verifier: str) -> Mapping[str, Any]:
    """What it gives for the code."""
    from authlib.integrations.base_client import OAuthError  # type: ignore[import-untyped]

    try:
        token: Mapping[str, Any] = client.fetch_token(
            url, grant_type="authorization_code", code=code, code_verifier=verifier
        )
    except OAuthError as error:
        raise NotVerified(f"the code was refused: {error.error}") from error
    except ValueError as error:
        raise ProviderUnavailable("its token endpoint answers with something else") from error
    return token


def _only_role(claim: object) -> str | None:
    """The one role of ours that a claim names, which may list others that are not ours."""
    names = claim if isinstance(claim, list) else [claim]
    roles = {name for name in names if isinstance(name, str) and name in STAFF_ROLES}
    return roles.pop() if len(roles) == 1 else None


def _name(claims: Mapping[str, Any]) -> str:
    for claim in NAMES:
        try:
            name = normal(str(claims.get(claim) or ""))
        except NotPlainText:
            continue
        if name:
            return name[:MAX_NAME_CHARACTERS].strip()
    return ""
