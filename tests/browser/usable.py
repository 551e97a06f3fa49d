"""Whether a page can be used on a small screen, magnified, by keyboard and with a thumb."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, ViewportSize

from tests.browser.standing import wait_until_it_stands

SCRIPT = Path(__file__).with_name("usable.js")
PHONE: ViewportSize = {"width": 360, "height": 740}
MAGNIFIED: ViewportSize = {"width": 640, "height": 400}
"""1280 × 800 at 200 %: half as many pixels of CSS."""

STRAY_STEPS = 20
"""Elements that Tab may pass beside those that are known, e.g. the insides of a player."""


def assert_usable(page: Page) -> None:
    """Raise AssertionError, naming each element, where somebody could not use the page.

    Looks for: sideways scrolling at 360 pixels and at 200 %; something to press that Tab does
    not reach, a trap, focus that is not seen or is covered; targets smaller than 24 pixels that
    have another too near (WCAG 2.2: 1.4.10, 2.1.1, 2.1.2, 2.4.7, 2.4.11, 2.5.8).
    """
    wait_until_it_stands(page)
    before = page.viewport_size
    problems = [
        *_at(page, PHONE, "at 360 pixels", too_wide),
        *_at(page, PHONE, "at 360 pixels", _too_small),
        *_at(page, MAGNIFIED, "at 200 %", too_wide),
    ]
    if before is not None:
        page.set_viewport_size(before)
    problems += [*_too_small(page), *_out_of_reach(page)]
    report = "\n".join(f"- {problem}" for problem in problems)
    assert not problems, f"{page.url} cannot be used by everybody:\n{report}"


def _at(page: Page, size: ViewportSize, where: str, look: Callable[[Page], list[str]]) -> list[str]:
    page.set_viewport_size(size)
    return [f"{where}: {problem}" for problem in look(page)]


def too_wide(page: Page) -> list[str]:
    """What makes the page scroll sideways as wide as it is now, in words."""
    return [
        f"the page scrolls sideways: {name} sticks out; let it wrap, or scroll by itself"
        for name in _ask(page, "overflowing")
    ]


def _too_small(page: Page) -> list[str]:
    return [
        f"{target} pixels, with another target near; give it 24 × 24, or more room"
        for target in _ask(page, "tooSmall")
    ]


def _out_of_reach(page: Page) -> list[str]:
    """Walk through the page with Tab, from its top until focus leaves it or comes round."""
    names: list[str] = _ask(page, "start")
    reached: list[int] = []
    problems: list[str] = []
    for _ in range(len(names) + STRAY_STEPS):
        page.keyboard.press("Tab")
        step = _ask(page, "step")
        if step is None or step["place"] in reached[:-1]:
            break
        if step["place"] in (-1, *reached[-1:]):
            continue  # A thing that scrolls, or the insides of a frame.
        reached.append(step["place"])
        if not step["shown"]:
            problems.append(f"nobody sees that {step['name']} has the focus; give it an outline")
        if step["hidden"]:
            problems.append(f"{step['name']} is covered when it has the focus; see scroll-padding")
    missed = [name for place, name in enumerate(names) if place not in reached]
    return problems + [f"Tab does not reach {name}" for name in missed]


def _ask(page: Page, question: str) -> Any:
    return page.evaluate(f"{_script()}.{question}()")


@cache
def _script() -> str:
    return SCRIPT.read_text(encoding="utf-8").strip()
