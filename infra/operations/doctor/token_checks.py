"""Whether tokens can be signed, and whether one that is in use will be of no use soon."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from infra.operations.administration.tokens import ListedToken, find
from infra.operations.doctor.database_checks import usable_databases
from infra.operations.doctor.finding import Finding
from shared.host.settings import Settings
from shared.web.token_watch import WARNED_BEFORE

IN_USE = timedelta(days=30)
"""A token that nobody has shown for so long is not in use."""


def token_key(settings: Settings) -> Iterator[Finding]:
    """The keys that sign tokens; one that is too short is told by whoever reads it."""
    if not (settings.token_key or (settings.data_dir / "token.key").exists()):
        # To look would make it.
        yield Finding("token key", True, "is made by the first `stappenplan run`")
        return
    keys = len(settings.token_keys())
    shown = "is set" if keys == 1 else f"the first of {keys} signs, all of them verify"
    yield Finding("token key", True, shown)


def tokens(settings: Settings) -> Iterator[Finding]:
    """The tokens that are in use and expire within two weeks."""
    now = datetime.now(UTC)
    with usable_databases(settings) as opened:
        listed = find({name: database for name, (_, database) in opened.items()})
    expiring = [token for token in listed if _in_use(token, now) and _expires_soon(token, now)]
    for token in expiring:
        office = "all offices" if token.office is None else f"office {token.office}"
        yield Finding(
            "tokens",
            True,
            f"{token.id}, for {office}, ends on {token.expires_at:%Y-%m-%d %H:%M} UTC",
            "`stappenplan token create` makes another; give it to whoever uses this one",
            warning=True,
        )
    if not expiring:
        yield Finding("tokens", True, "none that is in use ends within two weeks")


def _in_use(token: ListedToken, now: datetime) -> bool:
    return token.last_used_at is not None and now - token.last_used_at < IN_USE


def _expires_soon(token: ListedToken, now: datetime) -> bool:
    return token.state(now) == "valid" and token.expires_at <= now + WARNED_BEFORE
