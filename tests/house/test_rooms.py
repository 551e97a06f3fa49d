"""The house: the same rooms in each service, small files, short functions, no junk drawers."""

import ast
import importlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.composition import build_service, service_names
from shared.host.settings import Settings

ROOT = Path(__file__).parents[2]
ROOMS = ("__init__.py", "service.py", "models.py", "handlers.py", "api.py", "migrations")
LONGEST_FILE = 320
LONGEST_FUNCTION = 45
JUNK_DRAWERS = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
OURS = ("services", "shared", "infra")


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("name", service_names())
def test_every_service_has_the_same_rooms(name: str) -> None:
    folder = ROOT / "services" / name
    assert [room for room in ROOMS if not (folder / room).exists()] == []


@pytest.mark.parametrize("name", service_names())
def test_the_door_plate_says_what_a_service_owns_hears_and_says(name: str) -> None:
    plate = (importlib.import_module(f"services.{name}").__doc__ or "").lower()
    for word in ("owns", "hears", "says"):
        assert word in plate


@pytest.mark.parametrize("name", service_names())
def test_the_whole_behaviour_stands_in_one_table_at_the_bottom(name: str) -> None:
    tree = ast.parse((ROOT / "services" / name / "handlers.py").read_text())
    table = tree.body[-1]
    assert isinstance(table, ast.Assign | ast.AnnAssign)
    target = table.targets[0] if isinstance(table, ast.Assign) else table.target
    assert ast.unparse(target) == "SUBSCRIPTIONS"


@pytest.mark.parametrize("name", service_names())
def test_every_mail_is_there_in_dutch_and_in_english(name: str) -> None:
    # Given a service's mails, a folder for each kind,
    for folder in build_service(name, Settings()).templates.glob("*"):
        files = {path.name.partition(".") for path in folder.glob("*.[mt][dx]*")} | {
            path.name.partition(".") for path in folder.glob("*.sms.txt")
        }
        # When the languages are compared, Then what one has the other has too.
        by_language = {
            language: {rest for tongue, _, rest in files if tongue == language}
            for language in ("nl", "en")
        }
        assert by_language["nl"] == by_language["en"], folder.name


def test_no_file_is_crowded() -> None:
    crowded = {
        str(path.relative_to(ROOT)): lines
        for path in sources(*OURS)
        if "migrations" not in path.parts
        and (lines := len(path.read_text().splitlines())) > LONGEST_FILE
    }
    assert crowded == {}


def test_no_function_does_too_much() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}": length
        for path in sources(*OURS)
        if "migrations" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, FUNCTIONS) and (length := own_lines(node)) > LONGEST_FUNCTION
    }
    assert long == {}


def own_lines(function: ast.AST) -> int:
    """The lines of a function without those of the functions inside it, as a router has them."""
    assert isinstance(function, FUNCTIONS)
    inner = [node for node in function.body if isinstance(node, FUNCTIONS)]
    return lines_of(function) - sum(lines_of(node) for node in inner)


def lines_of(node: ast.stmt) -> int:
    return (node.end_lineno or 0) - node.lineno + 1


def test_there_is_no_junk_drawer() -> None:
    assert [path for path in sources(*OURS, "tests") if path.stem in JUNK_DRAWERS] == []


def test_the_rule_that_services_are_strangers_names_every_service() -> None:
    # Given the rules of import-linter,
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (strangers,) = [one for one in rules["contracts"] if one["type"] == "independence"]
    # When a service is added, Then it must be added there too.
    assert sorted(strangers["modules"]) == [f"services.{name}" for name in service_names()]


def test_what_the_readme_tells_to_run_exists() -> None:
    # Given the chores of the Makefile,
    makefile = (ROOT / "Makefile").read_text()
    chores = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    # When the pages name one, Then it is there.
    for page in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"):
        named = set(re.findall(r"`make ([a-z-]+)", (ROOT / page).read_text()))
        assert named - chores == set(), page


def test_every_folder_of_tests_is_a_package_so_that_names_cannot_clash() -> None:
    folders = {path.parent for path in sources("tests")}
    assert [one for one in folders if not (one / "__init__.py").exists()] == []
