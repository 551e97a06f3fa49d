"""What is needed to run it elsewhere: the containers, the settings' file, what stays at home."""

import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
COMPOSE = ROOT / "infra" / "docker" / "compose.yaml"
DOCKERFILE = ROOT / "infra" / "docker" / "Dockerfile"
MADE_BY_THE_COMMANDS = (
    ".env",
    "settings.env",
    "broker-passwords.json",
    "definitions.json",
    "infra/rabbitmq/definitions.json",
)
"""What somebody who follows the documented commands has in his clone; most of it is secret."""


def containers() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def test_a_broker_in_a_new_container_finds_its_queues_again() -> None:
    # Given that RabbitMQ keeps its data under its node's name, which holds the container's,
    broker = containers()["rabbitmq"]
    # When the container is made anew, Then its name is what it was.
    assert broker["hostname"] == "rabbitmq"


@pytest.mark.skipif(
    not (shutil.which("git") and (ROOT / ".git").exists()), reason="this is no clone of git's"
)
@pytest.mark.parametrize("name", MADE_BY_THE_COMMANDS)
def test_what_the_documented_commands_make_is_not_committed(name: str) -> None:
    answer = subprocess.run(["git", "check-ignore", "--quiet", name], cwd=ROOT, check=False)
    assert answer.returncode == 0


def left_out_of_the_image(path: str) -> bool:
    """Whether `.dockerignore` keeps a file from the builder: its last pattern that fits decides."""
    left_out = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!")
        anywhere = pattern.startswith("**/")
        parts = path.split("/")
        # A pattern fits a file, and a folder with all that is in it.
        tails = [parts[start:] for start in range(len(parts) if anywhere else 1)]
        heads = {"/".join(one[:stop]) for one in tails for stop in range(1, len(one) + 1)}
        if any(fnmatch(one, pattern.removeprefix("**/")) for one in heads):
            left_out = not line.startswith("!")
    return left_out


@pytest.mark.parametrize(
    "path",
    [
        *MADE_BY_THE_COMMANDS,
        ".git/config",
        ".venv/bin/python",
        ".data/token.key",
        "build/peers/x",
        "tests/conftest.py",
        "infra/docker/broker-passwords.json",
        "shared/__pycache__/auth.cpython-312.pyc",
    ],
)
def test_an_image_holds_nothing_secret_and_nothing_that_it_does_not_need(path: str) -> None:
    assert left_out_of_the_image(path)


def test_an_image_gets_all_that_its_recipe_copies() -> None:
    # Given what the recipe copies, file by file, as git has it,
    copied = [
        word
        for line in DOCKERFILE.read_text().splitlines()
        if line.startswith("COPY ")
        for word in line.split()[1:-1]
    ]
    files = [
        one.relative_to(ROOT).as_posix()
        for word in copied
        for one in ([ROOT / word] if (ROOT / word).is_file() else (ROOT / word).rglob("*"))
        if one.is_file() and "__pycache__" not in one.parts
    ]
    assert {"pyproject.toml", "services/billing/templates/confirmation/nl.toml"} <= set(files)
    # When the builder asks for it, Then it gets all of it but what was made by the commands.
    left = {one for one in files if left_out_of_the_image(one)}
    assert left <= set(MADE_BY_THE_COMMANDS)
