"""Ids that come of an Idempotency-Key: the same for a repeat, another for anybody else."""

from pathlib import Path

import pytest

from infra.run.runtimes import BusFactory, build_runtimes
from shared.host.settings import Settings
from shared.processing import Person

ANNA = Person("anna", "0042")
SITE = "/website/0042"
OLD, NEW = "o" * 32, "n" * 32


def derived(
    settings: Settings, source: str = SITE, by: Person = ANNA, key: str | None = "k-1"
) -> str:
    """The onboarding that this request begins, in a process with these settings."""
    (runtime,) = build_runtimes(settings, BusFactory(settings), ["signup"])
    return str(runtime.derived_onboarding_id(source, by=by, key=key))


def test_a_new_token_key_makes_no_second_signup_of_one_key(tmp_path: Path) -> None:
    # Given a website that repeats a request after KING has replaced the token key,
    before = derived(Settings(data_dir=tmp_path, token_key=OLD))
    # When the new key signs, beside the old one or alone, Then it is the same onboarding.
    assert derived(Settings(data_dir=tmp_path, token_key=f"{NEW},{OLD}")) == before
    assert derived(Settings(data_dir=tmp_path, token_key=NEW)) == before


@pytest.mark.parametrize(
    ("source", "by", "key"),
    [
        ("/website/0077", ANNA, "k-1"),
        (SITE, Person("bram", "0042"), "k-1"),
        (SITE, Person("anna", "0077"), "k-1"),
        (SITE, Person("anna", None), "k-1"),
        (SITE, ANNA, "k-2"),
        (SITE, ANNA, None),
    ],
)
def test_another_office_caller_or_key_is_another_signup(
    tmp_path: Path, source: str, by: Person, key: str | None
) -> None:
    settings = Settings(data_dir=tmp_path)
    assert derived(settings, source, by, key) != derived(settings)


def test_another_installation_comes_to_other_ids(tmp_path: Path) -> None:
    assert derived(Settings(data_dir=tmp_path / "a")) != derived(Settings(data_dir=tmp_path / "b"))
