"""The doctor warns of a token in use that ends within two weeks, and makes no key by looking."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.persistence.database import Database
from shared.processing.store import tokens
from tests.integration.command_line.shell import Shell


def findings(shell: Shell, check: str) -> list[dict[str, Any]]:
    """What the doctor says of it."""
    return [row for row in shell.json("doctor", "--json") if row["check"] == check]


def use(shell: Shell, monkeypatch: pytest.MonkeyPatch, token_id: str) -> None:
    """A process of billing was shown this token."""
    database = Database(shell.read_settings(monkeypatch).database_url_of("billing"))
    with database.begin() as session:
        tokens.note_use(session, [token_id], datetime.now(UTC))
    database.close()


def test_the_doctor_warns_of_a_token_in_use_that_ends_soon(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given tokens that end in ten and in twenty days, and one that nobody uses,
    for name, days in (("anna", "10"), ("bram", "20"), ("cas", "10")):
        create = ("token", "create", "--scope", "orders:read", "--office", "0042")
        assert shell(*create, "--days", days, "--name", name).returncode == 0
    ids = {row["name"]: row["id"] for row in shell.json("token", "list", "--json")}
    soon, late = ids["anna"], ids["bram"]
    (before,) = findings(shell, "tokens")
    assert not before["warning"]
    # When the first two are used,
    use(shell, monkeypatch, soon)
    use(shell, monkeypatch, late)
    # Then it warns of the first, and says what to do; it fails for none of them.
    (warning,) = findings(shell, "tokens")
    assert (warning["ok"], warning["warning"]) == (True, True)
    assert soon in warning["finding"]
    assert "token create" in warning["advice"]
    assert "warns" in shell("doctor").stdout
    # One that is ended is nobody's worry.
    shell("token", "revoke", soon)
    (after,) = findings(shell, "tokens")
    assert not after["warning"]


def test_the_doctor_makes_no_key_by_looking(shell: Shell) -> None:
    (finding,) = findings(shell, "token key")
    assert finding["ok"]
    assert list(shell.data_dir.glob("*.key")) == []
