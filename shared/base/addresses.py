"""Addresses (RFC 3986) that are set by people, read in one way wherever one is set.

Whoever reads an address otherwise than it was meant takes a sign in a password for one that means
something, and tells a piece of the password in an error. So what can be read in two ways is refused
here, by a sentence that holds nothing of what was written.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import unquote

ESCAPES = "in a user's name and a password write @ as %40, / as %2F, ? as %3F, # as %23, % as %25"
PARTS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?", re.DOTALL)
NEXT_ADDRESS = re.compile(r"\s*,\s*(?=[A-Za-z][A-Za-z0-9+.-]*://)")
HOST = re.compile(r"\[[0-9A-Fa-f:.]+\]|[\w.{}-]+(?:,[\w.{}-]+)*")
PORT = re.compile(r"[0-9]{1,5}", re.ASCII)
UNCLEAR = re.compile(r"[\s\x00-\x1f\x7f\[\]\\]|%(?![0-9A-Fa-f]{2})|%00")
"""What stands in no address: blanks, brackets, a percent sign that stands for itself, and NUL,
where clients in C take the whole address to end."""


class NotAnAddress(ValueError):
    """It cannot be read, or in two ways; the text says how it is written, and nothing of it."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address in its parts: user and password without their escapes, the rest as written."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: str
    user: str = ""
    password: str | None = field(default=None, repr=False)

    @property
    def origin(self) -> str:
        """Where it is, without a user, and without what is asked for there."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port else "")


def split_addresses(text: str) -> list[str]:
    """The addresses of a list, which is split only where another begins.

    A comma elsewhere belongs to the address that it is in, be it to a password.
    """
    return NEXT_ADDRESS.split(text.strip())


def read_address(text: str, schemes: Collection[str], form: str) -> Address:
    """Read an address that may hold a login; `form` tells people how such a one is written.

    Raises:
        NotAnAddress: it is none of these schemes, or cannot be told apart into its parts.
    """
    scheme, authority, path, query, fragment = _parts(text, schemes, form)
    login, _, place = authority.rpartition("@")
    if fragment or "@" in login + path + query or UNCLEAR.search(login):
        raise NotAnAddress(f"user, password and host cannot be told apart: {ESCAPES}; {form}")
    if UNCLEAR.search(path + query):
        raise NotAnAddress(f"behind the host stands a sign that must be escaped; {form}")
    host, port = _place(place, form)
    user, colon, password = login.partition(":")
    return Address(
        scheme, host, port, path, query, unquote(user), unquote(password) if colon else None
    )


def read_web_address(text: str, form: str) -> Address:
    """Read an address that browsers open, which holds no login.

    Raises:
        NotAnAddress: it is none, or holds one.
    """
    scheme, authority, path, query, _ = _parts(text, ("https", "http"), form)
    if "@" in authority:
        raise NotAnAddress(f"leave user and password out of it; {form}")
    if re.search(r"\s", text.strip()):
        raise NotAnAddress(f"it holds a blank; {form}")
    host, port = _place(authority, form)
    if not host or set(host) & set(",{}"):
        raise NotAnAddress(f"it needs one host; {form}")
    return Address(scheme, host, port, path, query)


def _parts(text: str, schemes: Collection[str], form: str) -> tuple[str, str, str, str, str]:
    """Scheme in small letters, authority, path, query and fragment; what is not there is empty."""
    parts = PARTS.fullmatch(text.strip())
    if parts is None or parts[1].lower() not in schemes:
        begin = " or ".join(f"{scheme}://" for scheme in schemes)
        raise NotAnAddress(f"it must begin with {begin}; {form}")
    scheme, authority, path, query, fragment = (part or "" for part in parts.groups())
    return scheme.lower(), authority, path, query, fragment


def _place(place: str, form: str) -> tuple[str, int | None]:
    """Host, in small letters, and port."""
    host, colon, port = place.rpartition(":")
    if not colon or place.endswith("]"):
        host, port = place, ""
    elif not PORT.fullmatch(port) or not 0 < int(port) < 65536:
        # Of a password that holds a slash, what precedes it stands where a port would.
        raise NotAnAddress(f"the port must be a number from 1 to 65535; {ESCAPES}; {form}")
    if host and not HOST.fullmatch(host):
        raise NotAnAddress(f"the host cannot be read; {ESCAPES}; {form}")
    return host.strip("[]").lower(), int(port) if port else None
