"""The points at which tests kill the process: all there, each once, and nothing behind them."""

import inspect
import re
from pathlib import Path

from shared.base import crash_points
from shared.base.crash_points import POINTS, reached

ROOT = Path(__file__).parents[3]
CALL = re.compile(r"\breached\(\"([^\"]+)\"\)")
PER_BUS = {"publish.before", "publish.after"}


def calls() -> list[str]:
    files = [
        file
        for room in ("shared", "services", "infra")
        for file in sorted((ROOT / room).rglob("*.py"))
    ]
    return [name for file in files for name in CALL.findall(file.read_text(encoding="utf-8"))]


def test_every_point_is_in_the_code_once_and_no_other_is() -> None:
    # Given the points that the sweep kills the process at,
    # When the product's code is searched for the points that it passes,
    passed = calls()
    # Then they are the same: one place each, and one in each bus for publishing.
    assert set(passed) == set(POINTS)
    assert sorted(passed) == sorted([*POINTS, *PER_BUS])


def test_the_product_holds_nothing_that_a_point_could_switch_on() -> None:
    # Given what a running process does at a point,
    source = inspect.getsource(crash_points)
    # When it is looked at,
    body = inspect.getsource(reached).partition('"""')[2].partition('"""')[2]
    # Then it does nothing, whatever the environment, and knows no other thing to do.
    assert body.strip() == ""
    assert not re.search(r"^\s*(import|from|if|global)\b", source, re.MULTILINE)
