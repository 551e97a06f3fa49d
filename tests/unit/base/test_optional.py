"""Libraries go without what they would load and nobody here wants."""

import importlib
import sys

import pytest

from shared.base.optional import without


def test_what_is_imported_meanwhile_finds_a_package_not_installed_and_all_find_it_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given a package that nobody has loaded,
    for name in [name for name in sys.modules if name.partition(".")[0] == "wave"]:
        monkeypatch.delitem(sys.modules, name)
    # When somebody asks for it while it is left out, Then it is not installed,
    with without("wave"), pytest.raises(ImportError):
        importlib.import_module("wave")
    # and afterwards it is, also where something went wrong meanwhile.
    with pytest.raises(ZeroDivisionError), without("wave"):
        _ = 1 // 0
    assert importlib.import_module("wave").__name__ == "wave"


def test_a_package_that_is_loaded_already_stays() -> None:
    with without("json", "json.decoder"):
        assert importlib.import_module("json.decoder").JSONDecoder
