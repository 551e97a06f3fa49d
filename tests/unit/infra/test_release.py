"""`infra/release`: what keeps a version from being released, and what a release leaves behind."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ENTRY = "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-02-03\n\n### Added\n\n- Something.\n"

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="git is missing")


class Clone:
    """A small clone with a version and its entry, all of it committed."""

    def __init__(self, folder: Path) -> None:
        """In an empty folder."""
        self.folder = folder
        self.write("pyproject.toml", '[project]\nname = "x"\nversion = "1.2.3"\n')
        self.write("CHANGELOG.md", ENTRY)
        self.git("init", "--quiet")
        self.commit()

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "Work")

    def git(self, *words: str) -> str:
        return self.run("git", *words, check=True).stdout

    def release(self, step: str) -> subprocess.CompletedProcess[str]:
        return self.run(str(ROOT / "infra" / "release"), step)

    def run(self, *command: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        """A command here, by a committer of this clone's own and with nobody's configuration."""
        people = {
            f"GIT_{role}_{part}": "someone@stappenplan.example"
            for role in ("AUTHOR", "COMMITTER")
            for part in ("NAME", "EMAIL")
        }
        environment = {name: value for name, value in os.environ.items() if "GIT_" not in name}
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**environment, **people, "GIT_CONFIG_GLOBAL": os.devnull},
            capture_output=True,
            text=True,
            check=check,
        )


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_a_version_that_is_ready_is_tagged_once(clone: Clone) -> None:
    # Given a version with its entry, all of it committed,
    assert clone.release("ready").returncode == 0
    # When it is tagged, Then the tag bears its number and is on the commit that was tested.
    assert clone.release("tag").returncode == 0
    assert clone.git("rev-parse", "v1.2.3^{commit}") == clone.git("rev-parse", "HEAD")
    # and nobody can tag it again.
    again = clone.release("tag")
    assert again.returncode == 1
    assert "v1.2.3 is there already" in again.stderr


@pytest.mark.parametrize("step", ["ready", "tag"])
@pytest.mark.parametrize("name", ["CHANGELOG.md", "new.txt"])
def test_what_is_not_committed_is_not_released(clone: Clone, step: str, name: str) -> None:
    # Given a file that was changed, or is new,
    clone.write(name, ENTRY + "- More.\n")
    # When a release is asked for, Then it is refused, and there is no tag.
    answer = clone.release(step)
    assert answer.returncode == 1
    assert "git status" in answer.stderr
    assert clone.git("tag", "--list") == ""


@pytest.mark.parametrize("step", ["ready", "tag"])
def test_a_version_that_the_changelog_does_not_tell_of_is_not_released(
    clone: Clone, step: str
) -> None:
    # Given a changelog that ends with another version, whose number looks alike,
    clone.write("CHANGELOG.md", ENTRY.replace("1.2.3", "1.2.30"))
    clone.commit()
    # When a release is asked for, Then it is refused, and there is no tag.
    answer = clone.release(step)
    assert answer.returncode == 1
    assert "CHANGELOG.md has no entry" in answer.stderr
    assert clone.git("tag", "--list") == ""
