"""The wheel: what is installed elsewhere holds all that the product needs, and nothing more."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("infra", "services", "shared")
NEEDED_TO_BUILD = ("pyproject.toml", "LICENSE")
NOT_COMMITTED = (
    "infra/docker/.env",
    "infra/docker/broker-passwords.json",
    "infra/rabbitmq/definitions.json",
    "infra/settings.env",
    "shared/__pycache__/auth.cpython-311.pyc",
)
"""What may lie in a clone in which somebody works, and most of which is secret."""

pytestmark = pytest.mark.skipif(
    not (shutil.which("git") and (ROOT / ".git").exists()), reason="this is no clone of git's"
)


def committed(*paths: str) -> set[str]:
    """The files that git has under these paths, or will have with the next commit."""
    answer = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *paths],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {path for path in answer.stdout.split("\0") if path and (ROOT / path).is_file()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder far from the clone, emptied afterwards: an environment is large."""
    path = tmp_path_factory.mktemp("elsewhere")
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def wheel(folder: Path) -> Path:
    """A wheel of what is committed, built where also lies what is not, without a network."""
    source = folder / "source"
    for path in committed(*PACKAGES, *NEEDED_TO_BUILD):
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, source / path)
    for path in NOT_COMMITTED:
        (source / path).parent.mkdir(exist_ok=True)
        (source / path).write_text("secret")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps"]
    build += ["--no-build-isolation", "--wheel-dir", str(folder), str(source)]
    subprocess.run(build, cwd=folder, check=True)
    (built,) = folder.glob("*.whl")
    return built


def contents(wheel: Path) -> set[str]:
    """The files of a wheel, without what is written about it."""
    with ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def test_the_wheel_holds_every_file_of_the_packages_and_no_other(wheel: Path) -> None:
    shipped, files = contents(wheel), committed(*PACKAGES)
    assert files - shipped == set()
    assert shipped - files == set()


def test_the_wheel_bears_its_licence(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        (licence,) = [name for name in archive.namelist() if name.endswith("/LICENSE")]
        assert archive.read(licence) == (ROOT / "LICENSE").read_bytes()


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command in a working folder, with no setting of the product and nothing of the clone."""
    ours = ("STAPPENPLAN_", "PYTHONPATH", "VIRTUAL_ENV")
    environment = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        command,
        cwd=cwd,
        env={**environment, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def installed(folder: Path, wheel: Path) -> Path:
    """The programs of a new environment that has the wheel and what the product's lock says."""
    environment = folder / "environment"
    install = (ROOT / "infra" / "install", environment)
    locked = ("--require-hashes", "--requirement", ROOT / "requirements.lock")
    for command in (
        (ROOT / "infra" / "make-environment", environment),
        (*install, *locked),
        (*install, "--no-deps", wheel),
    ):
        answer = run(*command, cwd=folder)
        assert answer.returncode == 0, answer.stderr
    return environment / "bin"


def test_the_demonstration_runs_where_only_the_wheel_is_installed(
    installed: Path, tmp_path: Path
) -> None:
    # Given an environment with the wheel, and a working folder that holds nothing,
    # When the demonstration is run there,
    answer = run(installed / "stappenplan", "demo", cwd=tmp_path)
    # Then all customers log in, by the code of that environment.
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "12 customers logged in" in answer.stdout
    origin = run(installed / "python", "-c", "import infra; print(infra.__file__)", cwd=tmp_path)
    assert Path(origin.stdout.strip()).is_relative_to(installed.parent)
