"""Headers of a mail that read the same after folding, whatever is written in them.

Python's own folding loses or doubles blanks beside encoded words, cuts long addresses in two and
encodes within them. So the headers that hold a text of ours are folded here: all of a text goes
into encoded words (RFC 2047) as soon as any of it needs to, blanks included, and an address is
never broken.
"""

import base64
import re
from collections.abc import Iterator, Sequence
from email.errors import MessageError
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.policy import EmailPolicy

MAX_WORD_CHARACTERS = 64
"""An encoded word has at most 75, and its line 76 with the name of the header (RFC 2047, 2)."""
MAX_LINE_CHARACTERS = 76

Q_START, B_START, WORD_END = "=?utf-8?q?", "=?utf-8?b?", "?="
Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
"""What stands as it is in an encoded word of a name or a text (RFC 2047, 5, rule 3)."""

IN_Q = {
    byte: "_" if byte == 0x20 else chr(byte) if byte in Q_SAFE else f"={byte:02X}"
    for byte in range(256)
}
Q_ROOM = MAX_WORD_CHARACTERS - len(Q_START) - len(WORD_END)
"""How many characters fit into an encoded word."""
B_ROOM = (MAX_WORD_CHARACTERS - len(B_START) - len(WORD_END)) // 4 * 3
"""How many bytes fit into one, since three of them become four characters."""

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
NAMED_MAILBOX = re.compile(r"\s*(.*?)\s*<([^<>]*)>\s*", re.DOTALL)
QUOTED_NAME = re.compile(r'"(.*)"', re.DOTALL)
ESCAPED_IN_QUOTES = re.compile(r'["\\]')
PLAIN_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")


class Folded(str):
    """The value of a header that is folded already, in ASCII."""

    __slots__ = ()


class FoldedPolicy(EmailPolicy):
    """Leaves what is folded already as it is; all else is done as for any mail."""

    def header_store_parse(self, name: str, value: str) -> tuple[str, str]:
        """Keep a folded value as one that was read from a mail would be kept."""
        if isinstance(value, Folded):
            return name, str(value)
        stored: tuple[str, str] = super().header_store_parse(name, value)
        return stored


MAIL_POLICY = FoldedPolicy(linesep="\r\n", refold_source="none")


def folded_text(name: str, text: str) -> Folded:
    """A text for the header of this name; control characters become blanks.

    Plain when it is short ASCII that nobody can misread, otherwise in encoded words.
    """
    text = CONTROL.sub(" ", text)
    if _stands_as_it_is(text) and len(f"{name}: {text}") <= MAX_LINE_CHARACTERS:
        return Folded(text)
    return Folded("\r\n ".join(encoded_words(text)))


def folded_mailbox(address: Address) -> Folded:
    """An address with the name before it, if it has one: the name folded, the address whole."""
    if not address.display_name:
        return Folded(address.addr_spec)
    name = CONTROL.sub(" ", address.display_name)
    words = _phrase(name) if _stands_as_it_is(name) else list(encoded_words(name))
    if any(len(word) > MAX_WORD_CHARACTERS for word in words):
        words = list(encoded_words(name))
    return Folded("\r\n ".join(_lines([*words, f"<{address.addr_spec}>"])))


def _phrase(name: str) -> list[str]:
    """A name in ASCII, as the words of a quoted string where it has signs that need one."""
    if not PLAIN_NAME.fullmatch(name):
        name = '"' + ESCAPED_IN_QUOTES.sub(r"\\\g<0>", name) + '"'
    return name.split(" ")


def _lines(words: Sequence[str]) -> Iterator[str]:
    """The words on as few lines as they fit on, a blank between them."""
    line = words[0]
    for word in words[1:]:
        if len(line) + len(word) < MAX_WORD_CHARACTERS:
            line += f" {word}"
        else:
            yield line
            line = word
    yield line


def unfolded(value: Folded) -> str:
    """The same on one line, for an interface that is no mail."""
    return value.replace("\r\n", "")


def name_and_address(text: str) -> tuple[str, str]:
    """`Name <address>`, or an address alone, taken apart; the name as a person reads it.

    What stands in quotes holds no encoded words (RFC 2047, 5).

    Raises:
        ValueError: the name is in encoded words that nobody can read.
    """
    match = NAMED_MAILBOX.fullmatch(text)
    if match is None:
        return "", text.strip()
    name, address = match.groups()
    if quoted := QUOTED_NAME.fullmatch(name):
        return re.sub(r"\\(.)", r"\1", quoted[1]), address.strip()
    try:
        read = str(make_header(decode_header(name))) if "=?" in name else name
    except (LookupError, MessageError) as error:
        raise ValueError("the name before the address is encoded in no way we know") from error
    return read, address.strip()


def quoted_name(name: str) -> str:
    """A name as it stands before an address, such that `name_and_address` gives it back."""
    if "=?" in name or ESCAPED_IN_QUOTES.search(name):
        return '"' + ESCAPED_IN_QUOTES.sub(r"\\\g<0>", name) + '"'
    return name


def encoded_words(text: str) -> Iterator[str]:
    """The text as encoded words, none of which cuts a character in two."""
    signs = [sign.encode("utf-8", "replace") for sign in text]
    room, sizes, start, encode = Q_ROOM, [len(_q(sign)) for sign in signs], Q_START, _q
    in_bytes = [len(sign) for sign in signs]
    if sum(sizes) > sum(in_bytes) * 4 / 3:
        room, sizes, start, encode = B_ROOM, in_bytes, B_START, _b
    word, taken = b"", 0
    for sign, size in zip(signs, sizes, strict=True):
        if word and taken + size > room:
            yield f"{start}{encode(word)}{WORD_END}"
            word, taken = b"", 0
        word, taken = word + sign, taken + size
    yield f"{start}{encode(word)}{WORD_END}"


def _stands_as_it_is(text: str) -> bool:
    return text.isascii() and "=?" not in text and text == " ".join(text.split())


def _q(word: bytes) -> str:
    return "".join([IN_Q[byte] for byte in word])


def _b(word: bytes) -> str:
    return base64.b64encode(word).decode("ascii")
