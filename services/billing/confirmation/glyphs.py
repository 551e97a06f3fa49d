"""Which signs the confirmation's fonts can show, and what stands for those that they cannot.

An archivable document may not hold a sign that no font of it has, and typst names but one of them
at a time. So a text is put into what can be shown before it is set, sign by sign as a reader sees
signs: a letter with its marks, a family of joined emoji, a keycap (Unicode's grapheme clusters,
UAX 29, as far as names need them). `fonts/coverage.json` says what each font has.
"""

import json
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FONTS = Path(__file__).parents[1] / "templates" / "confirmation" / "fonts"
"""The fonts that are shipped beside those within typst, and the table of what all of them show."""

REPLACEMENT = "\N{WHITE SQUARE}"
"""It says that a sign stood here; every reader has seen it where a font lacked one."""

PLACEHOLDER = "\N{DOTTED CIRCLE}"
"""What bears a mark that has no letter, as in Unicode's own charts."""

MAX_CLUSTER_CHARACTERS = 8
"""More marks than any writing puts on one letter would bury the lines above and below it."""

INVISIBLE = re.compile(
    "[\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
    # Joiners shape the letters of Arabic and of India's scripts; elsewhere they do nothing.
    "|(?<![\u0600-\u0dff])[\u200c\u200d]"
)
"""Signs without a picture: what they ask of those beside them is done, or cannot be done here."""

UNBROKEN_SIGNS = 60
UNBROKEN = re.compile(rf"[^\s\u0e00-\u109f\u1780-\u17ff\u2e80-\uffef]{{{UNBROKEN_SIGNS + 1},}}")
"""More signs without a blank than any word or address has; such a line would leave the page. Lines
may end anywhere in Chinese, and in the scripts around Thailand typst knows where words do."""
BREAK_EVERY = 12

JOINER = "\N{ZERO WIDTH JOINER}"
SKIN_TONES = ("\U0001f3fb", "\U0001f3ff")
REGIONAL_INDICATORS = ("\U0001f1e6", "\U0001f1ff")
TAGS = ("\U000e0020", "\U000e007f")
MARKS = {"Mn", "Mc", "Me"}
LATIN, PUNCTUATION, CURRENCIES = range(0x20, 0x250), range(0x2010, 0x2028), range(0x20A0, 0x20C1)
BLANKS = {"Cc", "Zl", "Zp", "Zs"}
"""Blanks of every width, and what controls a line: all of them part words."""


@dataclass(frozen=True)
class FontCoverage:
    """What one family of fonts can show, in plain and in bold."""

    family: str
    starts: Sequence[int]
    ends: Sequence[int]

    @classmethod
    def parse(cls, family: str, spans: str) -> "FontCoverage":
        """Read ranges as they stand in the table, `20-7e a0-17f`, in hexadecimal."""
        pairs = [span.partition("-") for span in spans.split()]
        starts = [int(first, 16) for first, _, _ in pairs]
        return cls(family, starts, [int(last or first, 16) for first, _, last in pairs])

    def shows(self, cluster: str) -> bool:
        """Whether it has every sign of the cluster: one that is cut in two is shown by none."""
        return all(self._has(ord(sign)) for sign in cluster)

    def _has(self, codepoint: int) -> bool:
        place = bisect_right(self.starts, codepoint) - 1
        return place >= 0 and codepoint <= self.ends[place]


@cache
def coverages() -> Sequence[FontCoverage]:
    """The families in the order in which typst is to look for a sign; the first is the text's."""
    table = json.loads((FONTS / "coverage.json").read_text())
    return tuple(FontCoverage.parse(font["family"], font["shows"]) for font in table)


def families() -> Sequence[str]:
    """The names of the families, in that order."""
    return [coverage.family for coverage in coverages()]


def showable(text: str, fonts: Sequence[FontCoverage] | None = None) -> str:
    """The text as the fonts can show it, in Unicode's normal form (NFC).

    What they cannot show is written in the letters that it is a variant of, or without its marks;
    where that fails too, a square stands for it.
    """
    fonts = coverages() if fonts is None else fonts
    text = unicodedata.normalize("NFC", text)
    if _everyday().issuperset(text):
        return _with_breaks(text)
    shown = (_shown(cluster, fonts) for cluster in clusters(text))
    return _with_breaks("".join(shown))


@cache
def _everyday() -> frozenset[str]:
    """Signs of Latin writing and of amounts that stand for themselves, whatever is beside them.

    Nearly every text has no others, and need not be looked at sign by sign.
    """
    return frozenset(
        sign
        for sign in map(chr, [*LATIN, *PUNCTUATION, *CURRENCIES])
        if unicodedata.category(sign) not in MARKS and _shown(sign, coverages()[:1]) == sign
    )


def clusters(text: str) -> Iterator[str]:
    """The text cut into what a reader takes for one sign each."""
    cluster = ""
    for sign in text:
        if cluster and _belongs(sign, cluster):
            cluster += sign
        else:
            if cluster:
                yield cluster
            cluster = sign
    if cluster:
        yield cluster


def _with_breaks(text: str) -> str:
    return UNBROKEN.sub(_breakable, text) if len(text) > UNBROKEN_SIGNS else text


def _breakable(match: re.Match[str]) -> str:
    """A long run without a blank, with places at which a line may end."""
    signs = list(clusters(match[0]))
    parts = ["".join(signs[n : n + BREAK_EVERY]) for n in range(0, len(signs), BREAK_EVERY)]
    return "\N{ZERO WIDTH SPACE}".join(parts)


def _belongs(sign: str, cluster: str) -> bool:
    """Whether a sign goes with the cluster before it."""
    if unicodedata.category(cluster[0]) in BLANKS:
        return False
    if unicodedata.category(sign) in MARKS or sign in (JOINER, "\N{ZERO WIDTH NON-JOINER}"):
        return True
    if _within(sign, SKIN_TONES) or _within(sign, TAGS):
        return True
    if _within(sign, REGIONAL_INDICATORS):  # Two of them are one flag.
        return len(cluster) == 1 and _within(cluster, REGIONAL_INDICATORS)
    return cluster.endswith(JOINER) and unicodedata.category(sign) == "So"


def _within(sign: str, ends: tuple[str, str]) -> bool:
    return ends[0] <= sign <= ends[1]


def _shown(cluster: str, fonts: Sequence[FontCoverage]) -> str:
    """The first way of writing a cluster that one font has all of."""
    for form in _forms(cluster):
        if any(font.shows(form) for font in fonts):
            return form
    return REPLACEMENT


def _forms(cluster: str) -> Iterator[str]:
    """The ways of writing a cluster, the most faithful first."""
    if unicodedata.category(cluster[0]) == "Zs":
        yield cluster
    if unicodedata.category(cluster[0]) in BLANKS:
        yield " "
        return
    visible = INVISIBLE.sub("", cluster)
    if visible and unicodedata.category(visible[0]) in MARKS:
        # A mark without a letter would go with whatever stands before it in the sentence.
        visible = PLACEHOLDER + visible
    yield visible[:MAX_CLUSTER_CHARACTERS]
    yield unicodedata.normalize("NFKC", visible)[:MAX_CLUSTER_CHARACTERS]
    # A letter whose mark is lost is still read; a family of emoji is at least one of them.
    yield visible[:1]
    yield unicodedata.normalize("NFKC", visible[:1])
