"""The command line as people run it: a process, its output, its exit code."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from shared.host.settings import Settings
from tests.integration.command_line import warm_start

PROGRAM = Path(sys.executable).with_name("stappenplan")
ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Shell:
    """A person's shell: a data folder of its own, and the settings that were made."""

    data_dir: Path
    settings: dict[str, str]
    columns: int = 100

    @property
    def environment(self) -> dict[str, str]:
        """What a process started here sees."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("STAPPENPLAN_")}
        environment = {f"STAPPENPLAN_{name}": value for name, value in self.settings.items()}
        return {
            **kept,
            "STAPPENPLAN_DATA_DIR": str(self.data_dir),
            "COLUMNS": str(self.columns),
            **environment,
        }

    def __call__(self, *words: str, stdin: str | bytes = "") -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        with TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "stdin").write_bytes(stdin.encode() if isinstance(stdin, str) else stdin)
            exit_code = warm_start.run(words, self.environment, folder, seconds=120)
            written = [(folder / stream).read_bytes().decode() for stream in ("stdout", "stderr")]
        return subprocess.CompletedProcess(words, exit_code, *written)

    def json(self, *words: str) -> Any:
        """What a command prints for a script."""
        answer = self(*words)
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    def read_settings(self, monkeypatch: pytest.MonkeyPatch) -> Settings:
        """The same settings, for the test itself."""
        for name, value in self.environment.items():
            if name.startswith("STAPPENPLAN_"):
                monkeypatch.setenv(name, value)
        return Settings()
