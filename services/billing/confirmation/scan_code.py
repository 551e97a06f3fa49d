"""The QR code of a confirmation, sign by sign as segno writes it, at a tenth of the time.

One of eight masks goes over a code, so that scanners find no misleading shapes in it (ISO/IEC
18004:2015, 7.8). To choose it, segno visits each module of all eight one by one. Here a code is a
number with a bit for each module, so that all its modules are looked at together.
"""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

ERROR_LEVEL = "m"
MASKS = range(8)
FIRST_VERSION_WITH_ITS_NUMBER = 7
"""From here on a code says of which version it is, in a place that no mask may change."""

MARGIN = 4
"""Light modules between two rows: what the third rule looks for beside a pattern."""
RUN_OF_MODULES, SQUARE, PATTERN, IMBALANCE = 2, 3, 40, 10
"""The penalties, of a run beside one for each module of it from the fifth on."""

ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
"""The signs of which two take eleven bits together (ISO/IEC 18004:2015, 7.4.4)."""
SIGNS = frozenset(ALPHANUMERIC)

DIGITS = bytes.maketrans(b"\x00\x01", b"01")
DARK = re.compile("1+")


@dataclass(frozen=True, slots=True)
class _Modules:
    """Some modules of a code, as bits: row after row, and column after column."""

    rows: int
    columns: int

    @classmethod
    def of(cls, matrix: Sequence[Sequence[int]]) -> "_Modules":
        return cls(_bits(matrix), _bits(zip(*matrix, strict=True)))

    def __xor__(self, other: "_Modules") -> "_Modules":
        return _Modules(self.rows ^ other.rows, self.columns ^ other.columns)

    def __and__(self, other: "_Modules") -> "_Modules":
        return _Modules(self.rows & other.rows, self.columns & other.columns)


@dataclass(frozen=True)
class _Layout:
    """What all codes of one version and error level have in common.

    `all` are the modules, `format` those that tell the mask, and `masks` has for each mask what
    it changes in a code with the first one, and its `format`.
    """

    size: int
    all: _Modules
    format: _Modules
    masks: Sequence[tuple[_Modules, _Modules]]


def as_svg(text: str) -> str:
    """The QR code that says the text, of the least size, with an edge of one for a module."""
    # Digits alone are written in another way, and so is any other sign.
    zeros = None if text.isdigit() or not SIGNS.issuperset(text) else _zeros(len(text))
    if zeros is None:
        return _drawn_by_segno(text)
    layout, modules = zeros
    for changes in _turned_by(text):
        modules ^= changes
    unmasked = modules ^ (modules & layout.format)
    # The format takes no part in the choice: it is not known before.
    masked = [(unmasked ^ changes, told) for changes, told in layout.masks]
    best, told = min(masked, key=lambda candidate: _penalty(candidate[0], layout))
    return _drawn((best ^ told).rows, layout.size)


def _turned_by(text: str) -> Iterator[_Modules]:
    """What each bit of a text changes in the code of as many zeros.

    It is the same in all texts of one length, whatever their other bits are: what corrects errors
    is a sum as well (ISO/IEC 18004:2015, 7.5).
    """
    for place in range(0, len(text), 2):
        value = 0
        for sign in text[place : place + 2]:
            value = value * len(ALPHANUMERIC) + ALPHANUMERIC.index(sign)
        for bit in range(value.bit_length()):
            if value >> bit & 1:
                yield _turned_over(len(text), place, bit)


@cache
def _turned_over(length: int, place: int, bit: int) -> _Modules:
    """What a bit turns over, of the two signs at this place, or of the last one alone."""
    high, low = divmod(1 << bit, len(ALPHANUMERIC))
    signs = (ALPHANUMERIC[high] + ALPHANUMERIC[low])[-min(2, length - place) :]
    one = _made(f"{'0' * place}{signs}".ljust(length, "0"))
    return _Modules.of(one.matrix) ^ _Modules.of(_made("0" * length).matrix)


@cache
def _zeros(length: int) -> tuple[_Layout, _Modules] | None:
    """The code of so many zeros with the first mask; None for one of a size left to segno."""
    made = _made("0" * length)
    if made.is_micro or int(made.version) >= FIRST_VERSION_WITH_ITS_NUMBER:
        return None
    return _layout(int(made.version), made.error), _Modules.of(made.matrix)


def _made(text: str) -> Any:
    import segno

    return segno.make(text, error=ERROR_LEVEL, mode="alphanumeric", mask=0)


@cache
def _layout(version: int, error: str) -> _Layout:
    import segno

    def code(mask: int) -> _Modules:
        made = segno.make("0", version=version, error=error, mask=mask, boost_error=False)
        return _Modules.of(made.matrix)

    size = 17 + 4 * version
    format_ = _Modules.of(_format_places(size))
    first = code(0)
    masks = [(code(mask) ^ first, code(mask) & format_) for mask in MASKS]
    apart = [(changes ^ (changes & format_), told) for changes, told in masks]
    return _Layout(size, _Modules.of([[1] * size] * size), format_, apart)


def _format_places(size: int) -> Sequence[Sequence[int]]:
    """The row and the column that tell error level and mask; the timing pattern crosses them."""
    along = [*range(6), 7, 8, *range(size - 8, size)]
    return [
        [
            int((row == 8 and column in along) or (column == 8 and row in along))
            for column in range(size)
        ]
        for row in range(size)
    ]


def _bits(rows: Iterable[Iterable[int]]) -> int:
    """The modules from the lowest bit on, a margin after each row."""
    digits = bytes(MARGIN).join(map(bytes, rows)).translate(DIGITS)
    return int(digits[::-1], 2)


def _penalty(dark: _Modules, layout: _Layout) -> int:
    """What tells against a code, by the four rules of ISO/IEC 18004:2015, 7.8.3.1."""
    light = layout.all ^ dark
    runs = sum(map(_runs, (dark.rows, dark.columns, light.rows, light.columns)))
    squares = sum(_squares(rows, layout.size + MARGIN) for rows in (dark.rows, light.rows))
    patterns = _patterns(dark.rows) + _patterns(dark.columns)
    percent = dark.rows.bit_count() / layout.size**2 * 100
    imbalance = int(abs(percent - 50) / 5)
    return runs + SQUARE * squares + PATTERN * patterns + IMBALANCE * imbalance


def _runs(modules: int) -> int:
    """The first rule: five modules of one colour or more, side by side."""
    pairs = modules & modules >> 1
    fives = pairs & pairs >> 2 & modules >> 4
    return fives.bit_count() + RUN_OF_MODULES * (fives & ~(fives << 1)).bit_count()


def _squares(modules: int, row: int) -> int:
    """The second rule: how many squares of four modules have one colour."""
    pairs = modules & modules >> 1
    return (pairs & pairs >> row).bit_count()


def _patterns(dark: int) -> int:
    """The third rule: what looks like a corner of a code, with a margin before it or after it."""
    found = dark & dark >> 2 & dark >> 3 & dark >> 4 & dark >> 6 & ~(dark >> 1 | dark >> 5)
    if not found:
        return 0
    before = dark << 1 | dark << 2 | dark << 3 | dark << 4
    after = dark >> 7 | dark >> 8 | dark >> 9 | dark >> 10
    found &= ~(before & after)
    count = 0
    while found:
        # Two that overlap are one.
        found &= ~((found & -found) * 0x7F)
        count += 1
    return count


def _drawn(rows: int, size: int) -> str:
    """The code as one path: each run of dark modules a line, from where the last one ended."""
    steps, last_x, last_y = [], 0, 0
    for y in range(size):
        row = f"{rows >> y * (size + MARGIN) & (1 << size) - 1:0{size}b}"[::-1]
        for run in DARK.finditer(row):
            start, end = run.span()
            steps.append(f"{start - last_x} {y - last_y}h{end - start}")
            last_x, last_y = end, y
    path = "m".join(steps).replace(" 0h", " 0.5h", 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}" class="segno">'
        f'<path class="qrline" stroke="#000" d="M{path}"/></svg>'
    )


def _drawn_by_segno(text: str) -> str:
    import segno

    drawn = io.BytesIO()
    segno.make(text, error=ERROR_LEVEL).save(drawn, kind="svg", border=0, xmldecl=False, nl=False)
    return drawn.getvalue().decode()
