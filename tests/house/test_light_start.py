"""What a start need not load is not loaded: it is what people wait for."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HELP = """
from infra.cli.program import app
try:
    app(["--help"])
except SystemExit:
    pass
"""
RUN = """
import sys
from infra.cli.program import app
from infra.run import command
def note(supervisor, **_):
    global ready
    ready = list(sys.modules)
    raise SystemExit
command._announce = note
try:
    app(["run"])
except SystemExit:
    pass
"""
ASK = """
    from http.client import HTTPConnection
    caller = HTTPConnection("127.0.0.1", supervisor.settings.http_port)
    caller.request("GET", "/api/offices")
    assert caller.getresponse().status == 401
"""
TELL = """
import json, sys
print()
print(json.dumps(sorted(globals().get("ready") or sys.modules)))
"""


def loaded_by(program: str, data_dir: Path) -> set[str]:
    """The modules that a process has loaded after this program."""
    kept = {name: value for name, value in os.environ.items() if "STAPPENPLAN" not in name}
    answer = subprocess.run(
        [sys.executable, "-c", program + TELL],
        env={**kept, "STAPPENPLAN_DATA_DIR": str(data_dir), "STAPPENPLAN_HTTP_PORT": "0"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return set(json.loads(answer.stdout.splitlines()[-1]))


def test_help_loads_nothing_of_the_services(tmp_path: Path) -> None:
    loaded = loaded_by(HELP, tmp_path)
    assert "typer" in loaded
    heavy = {"sqlalchemy", "fastapi", "pydantic", "pika", "kombu", "typst", "alembic", "structlog"}
    assert loaded & heavy == set()


@pytest.mark.parametrize("starts_before", [0, 1])
def test_services_that_are_ready_have_loaded_nothing_for_later(
    starts_before: int, tmp_path: Path
) -> None:
    # Given a data folder that is new, or one on which the services have run before,
    for _ in range(starts_before):
        loaded_by(RUN, tmp_path)
    # When they are ready,
    loaded = loaded_by(RUN, tmp_path)
    assert "fastapi" in loaded
    # Then mails, documents and tokens will load theirs when they come; others are for databases
    # that are elsewhere, or come from an earlier version.
    later = {
        "jinja2",
        "pycountry",
        "phonenumbers",
        "schwifty",
        "markdown_it",
        "typst",
        "segno",
        "jwt",
        "alembic",
        "psycopg",
        "sqlalchemy.dialects.postgresql",
        "pika",
        "boto3",
        "smtplib",
        # The books are closed when somebody looks at them.
        "infra.operations.audit.closing",
        # What libraries of ours would load for people who want what it adds.
        "rich",
        "email_validator",
        "pydantic.v1",
        "yaml",
    }
    assert loaded & later == set()


def test_a_route_that_is_built_for_who_asks_loads_no_models_of_old(tmp_path: Path) -> None:
    # Given services that are ready, When somebody asks for something,
    asking = RUN.replace("    global ready\n", f"    global ready\n{ASK}")
    loaded = loaded_by(asking, tmp_path)
    # Then they do not wait for what FastAPI would hold against it, and nobody here has.
    assert "pydantic.v1" not in loaded
