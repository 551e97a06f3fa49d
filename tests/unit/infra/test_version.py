"""`stappenplan --version`: what somebody who reports a fault is asked for."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli.program import app

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys
from infra.cli.program import app
try:
    app(["--version"])
finally:
    print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def test_the_version_is_that_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    answer = CliRunner().invoke(app, ["--version"])
    assert answer.exit_code == 0
    assert answer.stdout == f"stappenplan {version}\n"


def test_the_version_is_told_also_when_a_setting_makes_no_sense(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given settings with which nothing else starts,
    monkeypatch.setenv("STAPPENPLAN_HTTP_PORT", "none")
    # When somebody asks for the version, Then they are told.
    assert CliRunner().invoke(app, ["--version"]).exit_code == 0


def test_the_version_waits_for_no_heavy_module() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    heavy = {"sqlalchemy", "fastapi", "pydantic", "pika", "kombu", "structlog"}
    assert heavy & set(answer.stderr.split()) == set()
