"""`stappenplan token create`, `list` and `revoke`, and the keys that every command needs."""

from datetime import datetime, timedelta, tzinfo

import pytest

from infra.operations.administration import command
from shared.persistence.clock import utc_now
from shared.persistence.database import Database
from shared.processing.store import acts
from shared.web import auth
from shared.web.token_reading import read_token
from tests.integration.command_line.shell import Shell

READ = ("token", "create", "--scope", "orders:read")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "--all-offices"),
        (("--office", "0042", "--all-offices"), "--all-offices"),
        (("--office", ""), "office"),
        (("--office", "4711"), "there is no office"),
        (("--office", "0042", "--scope", "orders:confirm"), "KING's alone"),
        (("--office", "0042", "--name", ""), "name"),
        (("--office", "0042", "--days", "0"), "3650 days"),
    ],
)
def test_a_token_that_makes_no_sense_is_not_made(
    shell: Shell, options: tuple[str, ...], says: str
) -> None:
    answer = shell(*READ, *options)
    assert answer.returncode == 2
    assert says in " ".join(answer.stderr.split())
    assert answer.stdout == ""


def test_a_token_is_made_for_an_office_that_was_added(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = shell("office", "add", "0099", "--name", "Noord", "--email", "k@noord.example")
    assert added.returncode == 0
    answer = shell(*READ, "--office", "0099")
    assert answer.returncode == 0, answer.stderr
    settings = shell.read_settings(monkeypatch)
    assert read_token(settings.signing_key(), answer.stdout.strip()).office == "0099"


def test_a_token_goes_by_the_time_of_the_databases(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given a machine whose clock is two hours ahead of the databases',
    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Ahead":
            return cls.fromtimestamp(utc_now().timestamp() + 7200, tz)

    key = shell.read_settings(monkeypatch).signing_key()
    monkeypatch.setattr(auth, "datetime", Ahead)
    # When a token for a day is made there,
    command.create(["orders:read"], office_code="0042", days=1)
    grant = read_token(key, capsys.readouterr().out.strip())
    # Then it holds at once, and for a day as those count it who judge it.
    left = grant.expires_at - utc_now()
    assert timedelta(hours=23) < left <= timedelta(days=1)
    (listed,) = shell.json("token", "list", "--json")
    assert listed["state"] == "valid"


def test_tokens_are_listed_and_one_of_them_is_ended_everywhere(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given two tokens,
    shell(*READ, "--office", "0042", "--name", "site [Linde]", "--days", "7")
    king = shell("token", "create", "--scope", "orders:confirm", "--all-offices", "--name", "bram")
    office, all_offices = shell.json("token", "list", "--json")
    assert (office["name"], office["office"], office["all_offices"], office["scopes"]) == (
        "site [Linde]", "0042", False, ["orders:read"],
    )  # fmt: skip
    assert (all_offices["office"], all_offices["all_offices"]) == (None, True)
    # When one is revoked,
    assert shell("token", "revoke", office["id"]).returncode == 0
    # Then the list says so, of that one alone; and it can be said again.
    states = [row["state"] for row in shell.json("token", "list", "--json")]
    assert states == ["ended", "valid"]
    assert shell("token", "revoke", office["id"]).returncode == 0
    assert "site [Linde]" in shell("token", "list").stdout
    assert king.stdout.strip() not in shell("token", "list", "--json").stdout
    # Every service's own database has it, with the acts of whoever made and ended it.
    settings = shell.read_settings(monkeypatch)
    for service in ("signup", "registration", "billing", "activation"):
        database = Database(settings.database_url_of(service))
        with database.read() as session:
            done = [(act.what, act.address) for act in acts.about(session, office["id"])]
        database.close()
        assert done == [("token.create", "command line"), ("token.revoke", "command line")]


def test_an_id_that_no_token_has_is_told(shell: Shell) -> None:
    answer = shell("token", "revoke", "nobody")
    assert answer.returncode == 1
    assert "token list" in answer.stderr


@pytest.mark.parametrize("command", [("run",), (*READ, "--all-offices"), ("office", "list")])
def test_with_a_key_that_can_be_guessed_nothing_starts(
    shell: Shell, command: tuple[str, ...]
) -> None:
    shell.settings["TOKEN_KEY"] = "swordfish"
    answer = shell(*command)
    assert answer.returncode == 2
    assert "STAPPENPLAN_TOKEN_KEY" in answer.stderr
    assert "32 bytes" in answer.stderr
    assert "swordfish" not in answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_short_key_in_the_data_folder_is_wrong_usage_too(shell: Shell) -> None:
    (shell.data_dir / "token.key").write_text("swordfish")
    answer = shell(*READ, "--all-offices")
    assert answer.returncode == 2
    assert "token.key" in answer.stderr
    assert "swordfish" not in answer.stdout + answer.stderr


def test_a_key_is_replaced_without_ending_the_tokens_of_the_old_one(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given tokens of an old key and of the new one that was put before it,
    old, new = "o" * 32, "n" * 32
    shell.settings["TOKEN_KEY"] = old
    before = shell(*READ, "--all-offices").stdout.strip()
    shell.settings["TOKEN_KEY"] = f"{new}, {old}"
    after = shell(*READ, "--all-offices").stdout.strip()
    # When either is read, Then both are good; the new one is signed with the new key.
    keys = shell.read_settings(monkeypatch).token_keys()
    assert read_token(keys, before).name == read_token(keys, after).name == "staff"
    assert read_token(new, after).name == "staff"
