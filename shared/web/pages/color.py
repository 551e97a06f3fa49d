"""An office's own colour on the pages for its customers, so that every word stays readable.

The policy of pages allows no styles within them, so a colour comes as a stylesheet of its own. It
is the same for everybody, so it stands below `/static/`, where any process may answer.

An office may choose any colour. It is shown as it is where nothing is read on it but black or
white, whichever reads better; as the colour of links and buttons it is darkened, in the dark
lightened, until it has the contrast of WCAG 2.2 AA (1.4.3) on every ground it may stand on.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from fastapi import APIRouter
from starlette.responses import Response

from shared.web.auth import not_there
from shared.web.pages.router import pages_router

READABLE = 4.5
"""The least contrast of words with what is behind them (WCAG 2.2, 1.4.3)."""
STEP = 0.02
SOFT_SHARE = 0.1
STRONG_SHARE = 0.28
DAY_SECONDS = 24 * 3600

Rgb = tuple[float, float, float]
"""Red, green and blue, each from 0 to 1."""

WHITE: Rgb = (1.0, 1.0, 1.0)
BLACK: Rgb = (0.0, 0.0, 0.0)


class Grounds(NamedTuple):
    """What words stand on, as the stylesheet names it, and the black or white that reads on it."""

    paper: Rgb
    ground: Rgb
    ink: Rgb


LIGHT = Grounds(WHITE, (0xF3 / 255, 0xF6 / 255, 0xF9 / 255), BLACK)
DARK = Grounds((0x1A / 255, 0x26 / 255, 0x38 / 255), (0x0F / 255, 0x18 / 255, 0x25 / 255), WHITE)
_HEX = re.compile(r"[0-9a-f]{6}")


def read_color(text: str) -> Rgb | None:
    """The colour that `#0b5cad` or `0b5cad` names; None where it names none."""
    digits = text.lower().removeprefix("#")
    if not _HEX.fullmatch(digits):
        return None
    red, green, blue = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return red, green, blue


def contrast(one: Rgb, other: Rgb) -> float:
    """How well two colours are told apart, from 1 to 21 (WCAG 2.2, contrast ratio)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def ink_on(color: Rgb) -> Rgb:
    """Black or white, whichever reads better on this colour; one of them always does."""
    return max(WHITE, BLACK, key=lambda ink: contrast(ink, color))


def accent(color: Rgb, grounds: Grounds) -> dict[str, Rgb]:
    """A colour for links and buttons on these grounds: moved towards their ink until it reads."""
    shown = next(shade for shade in _shades(color, grounds.ink) if _reads(shade, grounds))
    return {
        "accent": shown,
        "accent-strong": mixed(shown, grounds.ink, STRONG_SHARE),
        "accent-soft": mixed(grounds.paper, shown, SOFT_SHARE),
        "on-accent": ink_on(shown),
    }


def mixed(one: Rgb, other: Rgb, share: float) -> Rgb:
    """One colour with a share of the other in it."""
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue


def stylesheet_of(color: Rgb) -> str:
    """What the colour changes of the stylesheet, by day and in the dark."""
    brand = {"brand": color, "on-brand": ink_on(color)}
    light = _rule({**brand, **accent(color, LIGHT)})
    dark = _rule(accent(color, DARK))
    return f"{light}\n@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}\n"


def color_routes() -> APIRouter:
    """The route that answers with the stylesheet of a colour."""
    routes = pages_router()

    @routes.get("/static/color/{name}.css")
    async def color(name: str) -> Response:
        chosen = read_color(name) if _HEX.fullmatch(name) else None
        if chosen is None:
            raise not_there()
        headers = {"Cache-Control": f"public, max-age={DAY_SECONDS}"}
        return Response(stylesheet_of(chosen), 200, headers, "text/css; charset=utf-8")

    return routes


def _shades(color: Rgb, ink: Rgb) -> Iterator[Rgb]:
    steps = round(1 / STEP)
    return (mixed(color, ink, number * STEP) for number in range(steps + 1))


def _reads(shade: Rgb, grounds: Grounds) -> bool:
    soft = mixed(grounds.paper, shade, SOFT_SHARE)
    others = (grounds.paper, grounds.ground, soft, ink_on(shade))
    return all(contrast(_as_shown(shade), _as_shown(other)) >= READABLE for other in others)


def _as_shown(color: Rgb) -> Rgb:
    """The colour as a browser is told it, in whole steps of 255."""
    red, green, blue = (round(part * 255) / 255 for part in color)
    return red, green, blue


def _luminance(color: Rgb) -> float:
    weights = (0.2126, 0.7152, 0.0722)
    return sum(w * _linear(part) for w, part in zip(weights, color, strict=True))


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _rule(properties: Mapping[str, Rgb]) -> str:
    lines = "".join(f"  --{name}: {_hex(color)};\n" for name, color in properties.items())
    return f":root {{\n{lines}}}"


def _hex(color: Rgb) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in color)
