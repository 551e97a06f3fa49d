"""The changelog tells of every version that there is."""

import re
import tomllib
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEADINGS = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def releases() -> dict[str, date]:
    """The versions of the changelog, in its order, with their days."""
    entries = [re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\S+)", heading) for heading in HEADINGS[1:]]
    assert all(entries), HEADINGS
    return {entry[1]: date.fromisoformat(entry[2]) for entry in entries if entry}


def test_the_version_of_the_project_has_an_entry() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert version in releases()


def test_what_is_not_released_yet_comes_first_and_the_newest_release_next() -> None:
    assert HEADINGS[0] == "[Unreleased]"
    days = list(releases().values())
    assert days == sorted(days, reverse=True)


def test_changes_are_of_the_kinds_that_readers_know() -> None:
    kinds = re.findall(r"^### (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert kinds
    assert set(kinds) <= KINDS
