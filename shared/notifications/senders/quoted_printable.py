"""Text in quoted-printable (RFC 2045, 6.7), broken where Python's `email` breaks it.

The library looks at a text sign by sign. Here all signs of a kind are escaped together, and only
lines that are too long, or end with a blank, are looked at again: a third of the time.
"""

from collections.abc import Iterator

END = b"\r\n"
BLANKS = (b" ", b"\t")
PLAIN = b"\t\r\n" + bytes(range(ord(" "), ord("~") + 1))
"""What stands as it is, and `=`, by which an escape begins."""


def quoted_printable(text: str, width: int) -> bytes:
    """The text, each line ended, none longer than `width` characters."""
    lines: list[bytes] = []
    for line in _escaped(text.encode()).splitlines() or [b""]:
        if len(line) <= width and not line.endswith(BLANKS):
            lines.append(line)
        else:
            lines += _broken(line, width)
    return END.join([*lines, b""])


def _escaped(text: bytes) -> bytes:
    text = text.replace(b"=", _escape(b"="))
    for byte in set(text.translate(None, PLAIN)):
        sign = bytes([byte])
        text = text.replace(sign, _escape(sign))
    return text


def _escape(sign: bytes) -> bytes:
    return b"=%02X" % sign[0]


def _broken(line: bytes, width: int) -> Iterator[bytes]:
    """The line in parts, each with the sign that it goes on, but for the last."""
    start = 0
    while len(line) - start > width:
        stop = start + width - 1
        # An escape such as =3D is not cut in two.
        escape = line.rfind(b"=", stop - 2, stop)
        stop = stop if escape < 0 else escape
        yield line[start:stop] + b"="
        start = stop
    last = line[start:]
    if last.endswith(BLANKS):
        yield from _with_last_blank(last, width)
    else:
        yield last


def _with_last_blank(line: bytes, width: int) -> Iterator[bytes]:
    """A blank that would end a line is lost on the way: it is escaped, or something follows it."""
    escaped = _escape(line[-1:])
    if len(line) + 2 <= width:
        yield line[:-1] + escaped
    elif len(line) < width:
        yield line + b"="
        yield b""
    else:
        yield line[:-1] + b"="
        yield escaped
