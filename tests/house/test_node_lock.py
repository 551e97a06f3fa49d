"""What is installed for Node's peers in the benchmark is written down, as for Python."""

import json
from pathlib import Path

LOCK = Path(__file__).parents[1] / "benchmark/contenders/node/package-lock.json"


def test_every_package_is_one_release_with_its_hash_and_without_where_it_came_from() -> None:
    # Given what `npm ci` installs, but for the folder itself,
    packages = json.loads(LOCK.read_text(encoding="utf-8"))["packages"]
    installed = {name: entry for name, entry in packages.items() if name}
    assert installed
    # Then each is known by its hash,
    without_hash = {name for name, entry in installed.items() if "integrity" not in entry}
    assert without_hash == set()
    # and none tells which index it was fetched from.
    assert {name for name, entry in installed.items() if "resolved" in entry} == set()
