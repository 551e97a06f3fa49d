"""Passwords: made, written in one form, hashed, compared. In clear only in the hands of the sender.

Alphabet and length of a one-time password give 79 bits, so that a rate-limited guess is hopeless;
letters and digits that look alike are left out (NIST SP 800-63B, OWASP ASVS 5.0 section 6.4.1).
Hashing takes a processor and 19 MiB: never do it within a transaction, or where others wait.
"""

import secrets
import unicodedata
from dataclasses import dataclass
from enum import Enum
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
GROUPS = 4
GROUP_LENGTH = 4

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""OWASP's minimum for argon2id: 19 MiB, two passes."""

_BLANKS_AND_DASHES = ("Zs", "Zl", "Zp", "Pd", "Cc", "Cf")
"""Unicode's categories of what a paste brings along: blanks, dashes, signs that nobody sees."""
_MINUS = "\N{MINUS SIGN}"
"""Not a dash by its category, but one to whoever types it."""


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


class Kind(Enum):
    """Which of a customer's passwords was given."""

    OWN = "own"
    ONE_TIME = "one-time"


@dataclass(frozen=True)
class Hashes:
    """What is kept of a customer's passwords that are good now; of a stranger there is nothing.

    `one_time` came with their credentials; `recovery` was sent since, because somebody said that
    the password is forgotten.
    """

    own: str | None = None
    one_time: str | None = None
    recovery: str | None = None


@dataclass(frozen=True)
class Match:
    """The password that was given is right; `rehashed` replaces what is kept of it, if anything."""

    kind: Kind
    rehashed: str | None = None


def generate() -> Secret:
    """A fresh one-time password: four groups of four, joined by hyphens."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))
    return Secret("-".join(groups))


def normal_form(entered: str) -> str:
    """A one-time password as it is hashed: case, dashes and blanks of any kind do not matter."""
    compatible = unicodedata.normalize("NFKC", entered)
    return "".join(
        sign
        for sign in compatible
        if unicodedata.category(sign) not in _BLANKS_AND_DASHES and sign != _MINUS
    ).lower()


def own_form(entered: str) -> str | None:
    """A password of the customer's own as it is hashed (RFC 8265, OpaqueString), or None.

    None when it holds what no password may: control characters, or signs that nobody sees.
    """
    from precis_i18n import get_profile

    try:
        form: str = get_profile("OpaqueString").enforce(entered)
    except UnicodeEncodeError:
        return None
    return form


def hash_one_time(secret: Secret) -> str:
    """The hash to keep of a one-time password."""
    return _hasher.hash(normal_form(secret.reveal()))


def hash_own(password: str) -> str:
    """The hash to keep of a password that the customer chose.

    Raises:
        ValueError: it holds what no password may.
    """
    form = own_form(password)
    if form is None:
        raise ValueError("a password holds no control characters, and is not empty")
    return _hasher.hash(form)


def compare(hashes: Hashes, entered: str) -> Match | None:
    """Which password this is; a wrong one takes as long for somebody who has none at all."""
    sent = (hashes.one_time, hashes.recovery) if looks_one_time(entered) else ()
    # Both are compared, whichever it is: how long it takes tells nothing.
    one_time = sum(matches_one_time(stored, entered) for stored in sent) > 0
    form = own_form(entered)
    own = form is not None and _matches(hashes.own, form)
    # Passwords of before were hashed as they were typed.
    raw = form != entered and not own and _matches(hashes.own, entered)
    if one_time:
        return Match(Kind.ONE_TIME)
    if not own and not raw:
        return None
    outdated = hashes.own is not None and _hasher.check_needs_rehash(hashes.own)
    anew = form is not None and (raw or outdated)
    return Match(Kind.OWN, _hasher.hash(form) if anew and form is not None else None)


def matches_one_time(stored: str | None, entered: str) -> bool:
    """Whether this is the one-time password; takes as long when there is none."""
    return _matches(stored, normal_form(entered))


def matches_own(stored: str | None, entered: str) -> bool:
    """Whether this is the customer's own password; takes as long when there is none."""
    return compare(Hashes(own=stored), entered) is not None


def looks_one_time(entered: str) -> bool:
    """Whether this was typed from a message with a one-time password, whoever's it was."""
    form = normal_form(entered)
    return len(form) == GROUPS * GROUP_LENGTH and set(form) <= set(ALPHABET)


@cache
def _dummy() -> str:
    return _hasher.hash("no password at all")


def _matches(stored: str | None, text: str) -> bool:
    try:
        _hasher.verify(stored or _dummy(), text)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None
