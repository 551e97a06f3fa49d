"""One-time passwords: made, hashed, compared. In clear only in the hands of the sender.

Alphabet and length give 79 bits, so that a rate-limited guess is hopeless; letters and digits
that look alike are left out (NIST SP 800-63B, OWASP ASVS 5.0 section 6.4.1).
"""

import secrets
import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
GROUPS = 4
GROUP_LENGTH = 4
OWN_MINIMUM = 12
OWN_MAXIMUM = 128
COMMON = frozenset(
    ["wachtwoord", "password", "welkom", "welcome", "qwerty", "123456", "imuis", "boekhouden"]
)

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""OWASP's minimum for argon2id: 19 MiB, two passes."""
_turns = threading.BoundedSemaphore(2)
"""Each hash takes 19 MiB and a core: two at a time keep a burst of log-ins from hurting."""


class Secret:
    """A password in clear: it shows itself only when asked for by name."""

    __slots__ = ("_clear",)

    def __init__(self, clear: str) -> None:
        self._clear = clear

    def reveal(self) -> str:
        """The password, for the one message that carries it."""
        return self._clear

    def __repr__(self) -> str:
        return "Secret(****)"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written anywhere")


def generate() -> Secret:
    """A fresh one-time password: four groups of four, joined by hyphens."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))
    return Secret("-".join(groups))


def normal_form(entered: str) -> str:
    """A one-time password as it is hashed: case, hyphens and spaces do not matter on entry."""
    return entered.replace("-", "").replace(" ", "").lower()


def hash_one_time(secret: Secret) -> str:
    """The hash to keep of a one-time password."""
    return _hash(normal_form(secret.reveal()))


def hash_own(password: str) -> str:
    """The hash to keep of a password that the customer chose."""
    return _hash(password)


def matches_one_time(stored: str | None, entered: str) -> bool:
    """Whether this is the one-time password; takes as long when there is none."""
    return _matches(stored, normal_form(entered))


def matches_own(stored: str | None, entered: str) -> bool:
    """Whether this is the customer's own password; takes as long when there is none."""
    return _matches(stored, entered)


def objection(password: str, context: tuple[str, ...]) -> str | None:
    """Why a password of the customer's own will not do, or None when it will.

    Length matters and commonness; there are no rules about kinds of characters (ASVS 5.0, 6.2).
    """
    lowered = password.casefold()
    if len(password) < OWN_MINIMUM:
        return f"Kies een wachtwoord van minstens {OWN_MINIMUM} tekens."
    if len(password) > OWN_MAXIMUM:
        return f"Kies een wachtwoord van hoogstens {OWN_MAXIMUM} tekens."
    if len(set(lowered)) < 5:
        return "Kies een wachtwoord met meer verschillende tekens."
    words = [*COMMON, *(word.casefold() for word in context if len(word) >= 4)]
    rest = lowered
    for word in words:
        rest = rest.replace(word, "")
    if len(rest) < OWN_MINIMUM // 2:
        return "Dit wachtwoord is te makkelijk te raden; kies een ander."
    return None


def _hash(text: str) -> str:
    with _turns:
        return _hasher.hash(text)


@cache
def _dummy() -> str:
    return _hash("no password at all")


def _matches(stored: str | None, text: str) -> bool:
    compare_with = stored or _dummy()
    with _turns:
        try:
            _hasher.verify(compare_with, text)
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None
