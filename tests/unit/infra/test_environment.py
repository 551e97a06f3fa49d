"""The programs that set up an environment: `infra/make-environment` and `infra/install`."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def stand_in(environment: Path, program: str, exit_code: int = 0) -> None:
    """A program of an environment that only tells how it was called."""
    path = environment / "bin" / program
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'#!/bin/sh\necho "{program} $*"\nexit {exit_code}\n')
    path.chmod(0o755)


def answer_of(program: str, *arguments: str | Path) -> str:
    answer = subprocess.run(
        [ROOT / "infra" / program, *arguments], capture_output=True, text=True, check=True
    )
    return answer.stdout


@pytest.mark.parametrize(("programs", "installer"), [(["pip", "uv"], "uv"), (["pip"], "pip")])
def test_uv_installs_where_it_is_and_pip_elsewhere(
    tmp_path: Path, programs: list[str], installer: str
) -> None:
    # Given an environment with uv, and one that no uv could be had for,
    for program in programs:
        stand_in(tmp_path, program)
    # When a lock is installed, Then each does it with what it has, from the same arguments.
    call = answer_of("install", tmp_path, "--require-hashes", "--requirement", "some.lock")
    assert call.startswith(f"{installer} ")
    assert call.endswith("--require-hashes --requirement some.lock\n")


@pytest.mark.parametrize(("told", "compiles"), [("1", True), ("", False)])
def test_where_python_keeps_nothing_it_compiles_the_installation_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, compiles: bool
) -> None:
    # Given a machine on which Python is told to keep what it compiles, or to keep nothing,
    stand_in(tmp_path, "uv")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", told)
    # When something is installed, Then only there it is compiled at once: otherwise each process
    # that starts would compile all of it again.
    call = answer_of("install", tmp_path, "--requirement", "some.lock")
    assert ("--compile-bytecode" in call) is compiles


def test_a_machine_that_uv_has_no_wheel_for_is_set_up_all_the_same(tmp_path: Path) -> None:
    # Given an environment whose pip finds no wheel of uv,
    stand_in(tmp_path, "pip", exit_code=1)
    # When it is made ready, Then that is no failure, and it is said once.
    said = answer_of("make-environment", tmp_path)
    assert said.splitlines()[-1].startswith("uv is not to be had here")


def test_an_environment_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    # Given an environment in which somebody has put a file,
    stand_in(tmp_path, "pip")
    (tmp_path / "kept").touch()
    # When it is made ready again, Then the file is still there, and only uv was asked for.
    assert "requirements-bootstrap.lock" in answer_of("make-environment", tmp_path)
    assert (tmp_path / "kept").exists()


def test_an_old_python_is_named_and_nothing_is_made(tmp_path: Path) -> None:
    # Given a Python that says it is too old,
    old = tmp_path / "python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    # When an environment is to be made of it, Then that is refused with what to do.
    answer = subprocess.run(
        [ROOT / "infra" / "make-environment", tmp_path / "new"],
        env={"PYTHON": str(old), "PATH": str(Path(sys.executable).parent) + ":/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert "Python 3.11 or newer" in answer.stderr
    assert not (tmp_path / "new").exists()
