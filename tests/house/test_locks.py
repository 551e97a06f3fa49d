"""What is installed is written down: every release, with the hashes of its files."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted(ROOT.glob("requirements*.lock"))


def pins(lock: Path) -> Iterator[tuple[str, str]]:
    """Each requirement of a lock, with the lines that belong to it."""
    for entry in re.split(r"^(?=[A-Za-z])", lock.read_text(), flags=re.M)[1:]:
        requirement, _, rest = entry.partition(" \\\n")
        yield requirement, rest


def test_there_is_a_lock_for_each_purpose() -> None:
    purposes = {lock.stem.removeprefix("requirements").strip("-") for lock in LOCKS}
    assert purposes == {"", "bootstrap", "dev", "bench"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_requirement_is_one_release_with_its_hashes(lock: Path) -> None:
    entries = list(pins(lock))
    assert entries
    for requirement, rest in entries:
        assert re.fullmatch(r"[\w.-]+==[\w.]+( ; .+)?", requirement), requirement
        assert "--hash=sha256:" in rest, requirement


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_tells_nothing_of_where_it_was_made(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert "index" not in text
    assert "find-links" not in text
    assert not re.search(r"[ =](/|~|\.\.)", text)


def test_tests_run_on_the_releases_that_the_product_is_installed_with() -> None:
    # Given the product's lock, and that of the tests, which holds the product too,
    product, dev = (
        {entry for entry, _ in pins(ROOT / name)}
        for name in ("requirements.lock", "requirements-dev.lock")
    )
    # Then whoever installs the second changes nothing of the first.
    assert product <= dev
