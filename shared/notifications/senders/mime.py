"""A mail as it travels (RFC 5322, RFC 2045), put together from lines that are known beforehand.

Python's own assembly takes every header apart and folds it anew, which costs more than all else
about a mail. What is written here has the same bytes, and each header that is not certain to be
plain still goes through the library.
"""

import binascii
import random
import re
import sys
from collections.abc import Iterable, Sequence
from email.message import EmailMessage
from functools import lru_cache

from shared.notifications.senders.headers import MAIL_POLICY, MAX_LINE_CHARACTERS, Folded
from shared.notifications.senders.quoted_printable import quoted_printable

END = "\r\n"
PLAIN_VALUE = re.compile(r"[A-Za-z0-9._-]+")
MAX_BODY_CHARACTERS = MAIL_POLICY.max_line_length or sys.maxsize
BASE64_CHARACTERS = 76
PLAIN_NAME_CHARACTERS = MAX_BODY_CHARACTERS - len('Content-Disposition: attachment; filename=""')
ANY_NAME = "any.name"
BOUNDARY_DIGITS = len(str(sys.maxsize))

MIXED = 'Content-Type: multipart/mixed; boundary="{}"\r\n'
ALTERNATIVE = 'Content-Type: multipart/alternative;\r\n boundary="{}"\r\n'
VERSION = "MIME-Version: 1.0\r\n"
QUOTED_PRINTABLE = "Content-Transfer-Encoding: quoted-printable\r\n"
TEXT = f'Content-Type: text/plain; charset="utf-8"\r\n{QUOTED_PRINTABLE}'
HTML = f'Content-Type: text/html; charset="utf-8"\r\n{QUOTED_PRINTABLE}{VERSION}'


def assemble(
    headers: Iterable[tuple[str, str]],
    text: str,
    html: str,
    language: str,
    enclosures: Sequence[bytes],
) -> bytes:
    """The mail, in ASCII so that every relay accepts it, each part with its language (RFC 3282).

    Raises:
        ValueError: a header's value cannot stand in a mail.
    """
    head = b"".join(_header(name, value) for name, value in headers)
    in_language = _known_header("Content-Language", language)
    parts = [
        described.encode()
        + in_language
        + END.encode()
        + quoted_printable(part, MAX_BODY_CHARACTERS)
        for described, part in ((TEXT, text), (HTML, html))
    ]
    described, body = _multipart(ALTERNATIVE, parts)
    if enclosures:
        alternative = described + END.encode() + body
        described, body = _multipart(MIXED, [alternative, *enclosures])
    return b"".join([head, VERSION.encode(), described, in_language, END.encode(), body])


def plain(name: str, value: str) -> str:
    """The value for a header of this name, as folded where it is certain to need no folding."""
    fits = len(f"{name}: {value}") <= MAX_LINE_CHARACTERS
    return Folded(value) if fits and PLAIN_VALUE.fullmatch(value) else value


def _header(name: str, value: str) -> bytes:
    if isinstance(value, Folded):
        return f"{name}: {value}{END}".encode("ascii")
    line: bytes = MAIL_POLICY.fold_binary(*MAIL_POLICY.header_store_parse(name, value))
    return line


_known_header = lru_cache(maxsize=16)(_header)


def _multipart(described: str, parts: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The header that describes the parts as one, and the parts.

    In base64 and quoted-printable no line can begin with `--=`, so a boundary that does is in no
    part, whatever somebody wrote.
    """
    boundary = f"==============={random.randrange(sys.maxsize):0{BOUNDARY_DIGITS}d}=="  # noqa: S311 - no secret.
    between = f"{END}--{boundary}{END}".encode()
    body = between[len(END) :] + between.join(parts) + f"{END}--{boundary}--{END}".encode()
    return described.format(boundary).encode(), body


@lru_cache(maxsize=32)
def enclosed(filename: str, media_type: str, content: bytes) -> bytes:
    """The part that holds a document: payer and office get the same one, each in their mail.

    Raises:
        ValueError: the file's name cannot stand in a mail.
    """
    encoded = binascii.b2a_base64(content, newline=False)
    lines = [
        encoded[start : start + BASE64_CHARACTERS] + END.encode()
        for start in range(0, len(encoded), BASE64_CHARACTERS)
    ]
    return _described(media_type, filename) + b"".join(lines)


def _described(media_type: str, filename: str) -> bytes:
    """The headers of a document's part, and the empty line after them."""
    if not PLAIN_VALUE.fullmatch(filename) or len(filename) > PLAIN_NAME_CHARACTERS:
        return _by_the_library(media_type, filename)
    # One plain name is described like another.
    another = _by_the_library(media_type, ANY_NAME)
    return another.replace(f'"{ANY_NAME}"'.encode(), f'"{filename}"'.encode())


@lru_cache(maxsize=16)
def _by_the_library(media_type: str, filename: str) -> bytes:
    maintype, _, subtype = media_type.partition("/")
    empty = EmailMessage(policy=MAIL_POLICY)
    empty.set_content(b"", maintype, subtype, disposition="attachment", filename=filename)
    return empty.as_bytes()
