"""What is needed to run it elsewhere: the containers, the settings' file, what stays at home."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from infra.composition import service_names

ROOT = Path(__file__).parents[3]
COMPOSE = ROOT / "infra" / "deploy" / "docker" / "compose.yaml"
DOCKERFILE = ROOT / "infra" / "deploy" / "docker" / "Dockerfile"
SETTINGS = ROOT / "infra" / "env.example"
MADE_BY_THE_COMMANDS = (
    ".env",
    "settings.env",
    "broker-passwords.json",
    "definitions.json",
    "infra/deploy/rabbitmq/definitions.json",
)
"""What somebody who follows the documented commands has in his clone; most of it is secret."""


def containers() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return services


def test_a_broker_in_a_new_container_finds_its_queues_again() -> None:
    # Given that RabbitMQ keeps its data under its node's name, which holds the container's,
    broker = containers()["rabbitmq"]
    # When the container is made anew, Then its name is what it was.
    assert broker["hostname"] == "rabbitmq"


@pytest.mark.parametrize("name", service_names())
def test_a_container_tells_whether_its_service_is_well(name: str) -> None:
    # Given the program by which a container is asked, which is in every image,
    asked = containers()[name]["healthcheck"]["test"]
    assert asked[:3] == ["CMD", "python", "-c"]
    # When it asks a service that is well, one that is not, and nobody,
    with answering(200) as well, answering(503) as ill:
        codes = [ask(asked[3], port) for port in (well, ill)]
    codes.append(ask(asked[3], well))
    # Then it succeeds for the first alone.
    assert [code == 0 for code in codes] == [True, False, False]


def ask(program: str, port: int) -> int:
    """The exit code of a container's own check, at another port than a container has."""
    assert ":8080/healthz" in program
    moved = program.replace(":8080", f":{port}")
    answer = subprocess.run([sys.executable, "-c", moved], stderr=subprocess.DEVNULL, check=False)
    return answer.returncode


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A service that answers everybody so; its port."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_words: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.mark.parametrize("name", service_names())
def test_whoever_deploys_can_set_what_he_likes_and_every_password_is_his(name: str) -> None:
    # Given a service's container,
    container = containers()[name]
    # When its settings are looked at, Then a file of his own may hold any, or not be there,
    assert container["env_file"] == [{"path": "../../../settings.env", "required": False}]
    # and a secret has no default: without it nothing starts.
    for setting, value in container["environment"].items():
        for variable in re.findall(r"\$\{([^}]+)\}", value):
            assert variable.endswith(":?") == ("PASSWORD" in variable or "KEY" in variable), setting


def test_a_container_by_itself_is_heard_outside_of_it() -> None:
    # Given the image without any setting of one's own,
    lines = DOCKERFILE.read_text().splitlines()
    environment = dict(
        line.removeprefix("ENV ").split("=", 1) for line in lines if line.startswith("ENV ")
    )
    # Then its services listen where a published port leads, and write where the volume is.
    assert environment["STAPPENPLAN_HTTP_HOST"] == "0.0.0.0"  # noqa: S104  Inside a container.
    assert f"VOLUME {environment['STAPPENPLAN_DATA_DIR']}" in lines
    # and its mails name an address that a browser can open.
    assert environment["STAPPENPLAN_PUBLIC_URL"] == "http://127.0.0.1:8080"


def test_the_recipe_for_four_processes_can_be_followed_to_its_end() -> None:
    # Given the commands that README gives for a process each,
    recipe = (ROOT / "README.md").read_text()
    ports = dict(re.findall(r"^STAPPENPLAN_HTTP_PORT=(\d+) stappenplan run (\w+)", recipe, re.M))
    # Then each service is started, at a port of its own,
    assert sorted(ports.values()) == service_names()
    # people are sent to the one that knows where a customer stands,
    (public,) = re.findall(r"^export STAPPENPLAN_PUBLIC_URL=http://127.0.0.1:(\d+)", recipe, re.M)
    assert ports[public] == "activation"
    # and there is an office whose clients may sign up.
    assert re.search(r"^stappenplan office add \d+ --name \S.* --email \S+", recipe, re.M)


def test_ports_are_published_on_this_machine_alone() -> None:
    published = [port for container in containers().values() for port in container.get("ports", [])]
    assert len(published) >= 5
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_the_list_of_settings_is_no_shell_script_and_does_not_say_it_is() -> None:
    text = SETTINGS.read_text()
    # Unquoted, as containers and systemd read them, some values mean something else to a shell.
    assert not re.search(r"set -a|source |\. FILE", text)
    # boto3 reads the region under one name alone.
    assert "AWS_DEFAULT_REGION" in text
    assert "AWS_REGION" not in text


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
        heads = {"/".join(head[:stop]) for head in tails for stop in range(1, len(head) + 1)}
        if any(fnmatch(head, pattern.removeprefix("**/")) for head in heads):
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
        "infra/deploy/docker/broker-passwords.json",
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
        file.relative_to(ROOT).as_posix()
        for word in copied
        for file in ([ROOT / word] if (ROOT / word).is_file() else (ROOT / word).rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    ]
    assert {"pyproject.toml", "services/billing/templates/confirmation/nl.toml"} <= set(files)
    # When the builder asks for it, Then it gets all of it but what was made by the commands.
    left = {file for file in files if left_out_of_the_image(file)}
    assert left <= set(MADE_BY_THE_COMMANDS)
