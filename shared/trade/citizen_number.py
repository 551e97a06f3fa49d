"""The guard against citizen numbers (BSN), which the product must not have anywhere.

A citizen number has nine digits that pass the test of eleven; leading zeros are often left out.
Until 2020 a sole trader's VAT id was made of it (Belastingdienst). Numbers of legal persons (RSIN)
pass the same test; they begin with 8 since the two were told apart, and with 00 before.

What is judged is what a person means, not how they write it: wide digits and those of other
scripts, and any separators between them. No value that is looked at here is logged or repeated.
"""

import re
import unicodedata
from collections.abc import Iterator

from stdnum.iso7064 import mod_97_10
from stdnum.nl import bsn

from shared.events.shapes import LegalForm

DIGITS = 9
SHORTEST = 7
"""So many digits are left when two zeros at the front are left out, which people do."""
RSIN_PREFIX = "8"
OLD_RSIN_PREFIX = "00"
WITH_RSIN: frozenset[LegalForm] = frozenset(
    ("vof", "maatschap", "bv", "nv", "stichting", "vereniging", "cooperatie")
)
"""Legal forms whose VAT id is made of their own number, where it begins as such numbers do."""

LABEL = re.compile(r"\bb\W?s\W?n(?![a-z])|burger\W?service|\bsofi|citizen\W*(service\W*)?n|\bssn\b")
OTHER_LABEL = re.compile(
    r"(rsin|tel|telefoon\w*|phone|mobiel|fax|iban|rekening\w*|factuur\w*|order\w*|klant\w*|"
    r"offerte\w*|invoice|account|customer)\W*(nummer|number|nr|no)?\W*$"
)
"""What says of a number after it that it is another one, unless a citizen number is named too."""

RUN = re.compile(r"\d(?:(?:[\W_]|\s[\W_]\s)?\d)*")
BETWEEN = r"(?![,;] )[\W_]{1,3}"
GROUPS = re.compile(rf"(?<!\d)(\d{{3}}{BETWEEN}\d{{3}}|\d{{4}}{BETWEEN}\d\d){BETWEEN}\d{{3}}(?!\d)")
"""The groups in which a citizen number is read aloud, whatever but a list's comma is between."""
LOOSE_RUN = re.compile(r"\d(?:[\W_]{0,3}\d)*")
UNSEEN = ("Cf", "Mn", "Me")
VAT_SUFFIX = re.compile(r"\W{0,3}b\W{0,3}\d\W?\d(?!\d)")
DATE = re.compile(
    r"\d{1,2}[-/. ]\d{1,2}[-/. ](19|20)\d\d\b|\b(19|20)\d\d[-/. ]\d{1,2}[-/. ]\d{1,2}"
)
ZIP = re.compile(r"\d{5}-\d{4}")


def holds_citizen_number(value: str) -> bool:
    """Whether a text seems to hold a citizen number, named as one or not."""
    text = _plain(value)
    if len(re.findall("[0-9]", text)) < SHORTEST:
        return False
    if LABEL.search(text):
        return any(_is_valid(digits) for digits in _named(text))
    return any(_is_valid(digits) for digits in _bare(text) if not digits.startswith(RSIN_PREFIX))


def names_citizen_number(value: str) -> bool:
    """Whether a text says that it holds one, and does: not even a code may be such a thing."""
    return LABEL.search(_plain(value)) is not None and holds_citizen_number(value)


def is_old_vat_number(value: str, legal_form: str | None) -> bool:
    """Whether a VAT id is an old one made of a citizen number, whole or with parts left out.

    Since 2020 a sole trader's VAT id satisfies mod 97 instead. Whatever the legal form, only one
    that begins as a legal person's is believed; as numbers of before the two were told apart did,
    only where the legal form is one that has such a number.
    """
    parts = re.fullmatch(r"(?:nl)?(\d{1,9})(b\d{1,2})?", re.sub(r"[\W_]", "", _plain(value)))
    if parts is None:
        return False
    digits, suffix = parts[1].zfill(DIGITS), (parts[2] or "").upper()
    if not _is_valid(digits) or mod_97_10.is_valid(f"NL{digits}{suffix}"):
        return False
    if legal_form in WITH_RSIN and digits.startswith(OLD_RSIN_PREFIX):
        return False
    return not digits.startswith(RSIN_PREFIX)


def _plain(value: str) -> str:
    """The text with plain digits and small letters, and nothing in it that nobody sees."""
    if value.isascii():
        return value.lower()
    wide = unicodedata.normalize("NFKC", value).casefold()
    # Nor what is only drawn around or above a digit, as in a keycap.
    return "".join(_plain_sign(sign) for sign in wide if unicodedata.category(sign) not in UNSEEN)


def _plain_sign(sign: str) -> str:
    return str(unicodedata.decimal(sign)) if sign.isdecimal() else sign


def _named(text: str) -> Iterator[str]:
    """The numbers of a text that speaks of a citizen number, and those without their zeros.

    A shorter one stands alone, and is not told to be a KvK number, which has eight digits.
    """
    for run in LOOSE_RUN.finditer(text):
        groups = re.findall(r"\d+", run[0])
        whole = "".join(groups)
        if SHORTEST <= len(whole) < DIGITS and not _told_as_kvk(text[: run.start()]):
            yield whole.zfill(DIGITS)
        for start in range(len(groups)):
            for end in range(start + 1, len(groups) + 1):
                digits = "".join(groups[start:end])
                if len(digits) == DIGITS:
                    yield digits


def _told_as_kvk(before: str) -> bool:
    return bool(re.search(r"k\W?v\W?k\W*(nummer|number|nr)?\W*$", before))


def _bare(text: str) -> Iterator[str]:
    """The numbers of nine digits that nothing says to be another number."""
    text = GROUPS.sub(lambda groups: re.sub(r"\D", "", groups[0]), DATE.sub(" x ", text))
    for run in RUN.finditer(text):
        before, after = run.string[: run.start()], run.string[run.end() :]
        digits = re.sub(r"\D", "", run[0])
        if len(digits) == DIGITS and not ZIP.fullmatch(run[0]):
            if not _is_other(before, after, digits):
                yield digits
            continue
        yield from re.findall(rf"(?<!\d)\d{{{DIGITS}}}(?!\d)", run[0])


def _is_other(before: str, after: str, digits: str) -> bool:
    """Whether it is part of a code, a telephone number, or named as something else."""
    if suffix := VAT_SUFFIX.match(after):
        code = re.sub(r"[\W_]", "", suffix[0]).upper()
        return bool(mod_97_10.is_valid(f"NL{digits}{code}"))
    attached = before[-1:].isalpha() and not re.search(r"(?<![a-z])(nl|nr|no|nummer)$", before)
    return attached or before.endswith("+") or bool(OTHER_LABEL.search(before))


def _is_valid(digits: str) -> bool:
    return bool(bsn.is_valid(digits))
