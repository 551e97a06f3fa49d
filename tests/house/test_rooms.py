"""The house: the same rooms in each service, one face of the engine, no junk drawers."""

import ast
import importlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.composition import build_service, service_names
from shared.host.settings import Settings

ROOT = Path(__file__).parents[2]
ROOMS = ("__init__", "service", "models", "handlers", "commands", "api", "migrations")
"""Each a module, or a package where one file grew crowded."""
SPOKEN_IN = {
    "pika": ("shared/messaging/rabbitmq/", "shared/messaging/topology/declare.py"),
    "kombu": ("shared/messaging/embedded/",),
    "boto3": ("shared/notifications/senders/",),
}
JUNK_DRAWERS = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
HOUSE = ("services", "shared", "infra")


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("name", service_names())
def test_every_service_has_the_same_rooms(name: str) -> None:
    folder = ROOT / "services" / name
    present = {path.name.removesuffix(".py") for path in folder.iterdir()}
    assert set(ROOMS) - present == set()


@pytest.mark.parametrize("name", service_names())
def test_the_door_plate_says_what_a_service_owns_hears_and_says(name: str) -> None:
    plate = (importlib.import_module(f"services.{name}").__doc__ or "").lower()
    for word in ("owns", "hears", "says"):
        assert word in plate


@pytest.mark.parametrize("name", service_names())
def test_the_whole_behaviour_stands_in_one_table_at_the_bottom(name: str) -> None:
    folder = ROOT / "services" / name
    rooms = (folder / "handlers.py", folder / "handlers" / "__init__.py")
    tree = ast.parse(next(room for room in rooms if room.exists()).read_text())
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


@pytest.mark.parametrize("name", service_names())
def test_people_and_the_clock_ask_in_one_room(name: str) -> None:
    # Given a service's commands, wherever they are written,
    written = {
        path.name
        for path in sources(f"services/{name}")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
        and "Command" in {ast.unparse(base) for base in node.bases}
    }
    # Then they stand in the room that is made for them.
    assert written <= {"commands.py"}


def test_routes_are_made_where_callers_are_admitted_and_json_is_read_strictly() -> None:
    # Given the places that make routers, for programs and for people,
    web = ROOT / "shared" / "web"
    makers = {web / "app.py", web / "pages" / "router.py"}
    # When somebody makes one by themselves,
    made_elsewhere = [
        str(path.relative_to(ROOT))
        for path in sources(*HOUSE)
        if "APIRouter(" in path.read_text() and path not in makers
    ]
    # Then its callers would not be known, and its JSON be read by anybody's parser.
    assert made_elsewhere == []


def test_there_is_no_junk_drawer() -> None:
    assert [path for path in sources(*HOUSE, "tests") if path.stem in JUNK_DRAWERS] == []


def contracts() -> list[dict[str, Any]]:
    """The rules of import-linter."""
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return list(rules["contracts"])


def test_the_rule_that_services_are_strangers_names_every_service() -> None:
    (strangers,) = [rule for rule in contracts() if rule["type"] == "independence"]
    # When a service is added, Then it must be added there too.
    assert sorted(strangers["modules"]) == [f"services.{name}" for name in service_names()]


def test_the_rule_of_the_engines_face_is_kept_by_every_services_tests() -> None:
    (face,) = [rule for rule in contracts() if "shared.processing.*" in str(rule)]
    tests = {f"tests.unit.{name}" for name in service_names()}
    assert set(face["source_modules"]) == {"services", *tests}


def test_every_box_of_shared_has_its_floor() -> None:
    # Given the boxes, and the rule that says which may use which,
    boxes = {path.name for path in (ROOT / "shared").iterdir() if (path / "__init__.py").exists()}
    (floors,) = [rule for rule in contracts() if rule.get("containers") == ["shared"]]
    # Then each has its place in it.
    assert {box for floor in floors["layers"] for box in floor.split(" | ")} == boxes


@pytest.mark.parametrize(("library", "rooms"), SPOKEN_IN.items())
def test_a_foreign_library_is_spoken_to_in_its_own_room(
    library: str, rooms: tuple[str, ...]
) -> None:
    importing = [
        str(path.relative_to(ROOT))
        for path in sources(*HOUSE)
        if re.search(rf"^\s*(import|from) {library}\b", path.read_text(), re.MULTILINE)
    ]
    assert importing
    assert [name for name in importing if not name.startswith(rooms)] == []


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
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []
