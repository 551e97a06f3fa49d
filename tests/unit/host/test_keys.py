"""Keys: long enough, replaceable without ending everybody, and never shown."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from services.billing.confirmation.notices import scan_token
from shared.base.errors import WrongSettings
from shared.host.keys import derived_id
from shared.host.settings import Settings

OLD, NEW = "o" * 32, "n" * 40
SHORT = "swordfish"


@pytest.mark.parametrize("name", ["token_key", "seal_key"])
@pytest.mark.parametrize("value", [SHORT, "x" * 31, "ö" * 15, " " + "x" * 31 + " "])
def test_a_key_that_can_be_guessed_is_refused_and_never_shown(name: str, value: str) -> None:
    with pytest.raises(ValidationError, match="at least 32 bytes") as refused:
        Settings.model_validate({name: value})
    assert value.strip() not in str(refused.value)


@pytest.mark.parametrize("value", [f"{OLD},{SHORT}", f"{OLD},", f",{OLD}", f"{OLD},,{NEW}"])
def test_one_short_key_among_several_is_refused(value: str) -> None:
    with pytest.raises(ValidationError, match="at least 32 bytes"):
        Settings(token_key=value)


def test_the_first_key_signs_and_all_verify(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, token_key=f" {NEW} , {OLD}\n")
    assert settings.token_keys() == (NEW, OLD)
    assert settings.signing_key() == NEW


def test_keys_stand_in_no_text_about_the_settings() -> None:
    shown = repr(Settings(token_key=NEW, seal_key=OLD))
    assert NEW not in shown
    assert OLD not in shown


def test_a_key_in_the_data_folder_that_is_too_short_is_named(tmp_path: Path) -> None:
    (tmp_path / "token.key").write_text(SHORT)
    settings = Settings(data_dir=tmp_path)
    with pytest.raises(WrongSettings, match=r"token\.key.*at least 32 bytes") as refused:
        settings.token_keys()
    assert SHORT not in str(refused.value)


def test_a_new_installation_has_two_keys_for_its_owner_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert settings.signing_key() != settings.sealing_key()
    for name in ("token.key", "seal.key"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert settings.sealing_key() == Settings(data_dir=tmp_path).sealing_key()


def test_an_existing_installation_keeps_its_seals(tmp_path: Path) -> None:
    # Given an installation of before, whose one key signed and sealed,
    (tmp_path / "token.key").write_text(OLD)
    seal = scan_token("O-2026-000001", OLD)
    # When this version runs on it, and later the token key is replaced,
    assert Settings(data_dir=tmp_path).sealing_key() == OLD
    replaced = Settings(data_dir=tmp_path, token_key=NEW)
    # Then what was sealed bears the same seal, and tokens have the new key.
    assert scan_token("O-2026-000001", replaced.sealing_key()) == seal
    assert replaced.signing_key() == NEW


def test_with_keys_that_are_set_the_oldest_seals_for_good(tmp_path: Path) -> None:
    assert Settings(data_dir=tmp_path, token_key=f"{NEW},{OLD}").sealing_key() == OLD
    assert Settings(data_dir=tmp_path, token_key=NEW).sealing_key() == OLD
    assert Settings(data_dir=tmp_path, token_key=NEW, seal_key="s" * 32).sealing_key() == "s" * 32


def test_a_folder_in_which_no_key_can_be_kept_says_what_to_set(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "file" / "folder", token_key=NEW)
    (tmp_path / "file").touch()
    with pytest.raises(WrongSettings, match="STAPPENPLAN_SEAL_KEY"):
        settings.sealing_key()


def test_a_derived_id_is_the_same_for_the_same_alone() -> None:
    first = derived_id(OLD, "0042", "anna", "key")
    assert first == derived_id(OLD, "0042", "anna", "key")
    others = [
        derived_id(NEW, "0042", "anna", "key"),
        derived_id(OLD, None, "anna", "key"),
        derived_id(OLD, "0042anna", "key"),
        derived_id(OLD, "0042", "anna\x00key"),
        derived_id(OLD, "0042", "anna", "\ud800"),
    ]
    assert len({first, *others}) == 6
