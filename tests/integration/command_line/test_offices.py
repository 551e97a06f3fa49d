"""`stappenplan office`: the offices are added, changed without being reset, and listed."""

from typing import Any

import pytest

from infra.context import whoever_asks
from services.signup.commands import office_subject
from shared.persistence.database import Database
from shared.processing.store import acts
from tests.integration.command_line.shell import Shell

ZUID = ("--name", "Kantoor Zuid", "--email", "zuid@kantoor.example")


def office(shell: Shell) -> dict[str, Any]:
    """The only office there is."""
    (shown,) = shell.json("office", "list", "--json")
    return dict(shown)


def test_offices_are_added_changed_and_listed(shell: Shell) -> None:
    # Given an office,
    added = shell("office", "add", "0077", *ZUID)
    assert added.returncode == 0, added.stderr
    assert added.stdout.startswith("office 0077 is added")
    # When it is added once more, with another policy,
    changed = shell("office", "add", "0077", *ZUID, "--review", "always", "--language", "en")
    # Then there is one, as it was said last.
    assert changed.stdout.startswith("office 0077 is changed")
    shown = office(shell)
    assert (shown["code"], shown["review"], shown["language"]) == ("0077", "always", "en")


def test_what_is_not_told_of_an_office_stays_as_it_is(shell: Shell) -> None:
    # Given an office of which everything was told,
    options = (
        *ZUID, "--phone", "+31 20 000 00 77", "--review", "always", "--language", "en",
        "--base-administration", "horeca", "--pays-for-customers", "yes",
    )  # fmt: skip
    assert shell("office", "add", "0077", *options).returncode == 0
    before = office(shell)
    assert before == {
        "code": "0077",
        "name": "Kantoor Zuid",
        "email": "zuid@kantoor.example",
        "phone": "+31 20 000 00 77",
        "language": "en",
        "review": "always",
        "base_administration": "horeca",
        "pays_for_customers": "yes",
        "color": None,
        "sites": [],
    }
    # When one thing changes, Then nothing else does.
    for words, change in (
        (("--email", "nieuw@kantoor.example"), {"email": "nieuw@kantoor.example"}),
        (("--pays-for-customers", "review"), {"pays_for_customers": "review"}),
        (("--phone", ""), {"phone": None}),
        (("--review", "flagged"), {"review": "flagged"}),
    ):
        answer = shell("office", "add", "0077", *words)
        assert answer.returncode == 0, answer.stderr
        before |= change
        assert office(shell) == before
    # and an office of which nothing is told is as it was.
    assert shell("office", "add", "0077").stdout.startswith("office 0077 is as it was")
    assert office(shell) == before


def test_a_person_sees_what_the_office_is_now(shell: Shell) -> None:
    shell("office", "add", "0077", *ZUID, "--phone", "+31 20 000 00 77")
    answer = shell("office", "add", "0077", "--review", "always")
    for value in ("Kantoor Zuid", "zuid@kantoor.example", "+31 20 000 00 77", "always", "standard"):
        assert value in answer.stdout


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("--name", "Kantoor Zuid", "--email", "zuid@@kantoor"), "--email: "),
        (("--email", "zuid@kantoor.example"), "--name: "),
        (("--name", "Kantoor Zuid"), "--email: "),
        ((*ZUID, "--review", "soms"), "--review: "),
        ((*ZUID, "--phone", "0" * 41), "--phone: "),
        ((*ZUID, "--pays-for-customers", "soms"), "--pays-for-customers: "),
        ((*ZUID, "--base-administration", ""), "--base-administration: "),
    ],
)
def test_an_office_that_cannot_be_is_refused_by_the_option_at_fault(
    shell: Shell, words: tuple[str, ...], option: str
) -> None:
    answer = shell("office", "add", "0077", *words)
    assert answer.returncode == 2
    assert answer.stderr.startswith(option)
    assert shell.json("office", "list", "--json") == []


@pytest.mark.parametrize("code", ["", "0" * 36, "00\n77", "00\x1b[31m", "a/b", ".."])
def test_a_code_is_what_http_takes_for_one(shell: Shell, code: str) -> None:
    answer = shell("office", "add", code, *ZUID)
    assert answer.returncode == 2
    assert answer.stderr == "CODE: it has 1 to 35 printable characters, without a slash\n"
    assert shell.json("office", "list", "--json") == []


def test_whoever_changes_an_office_leaves_an_act(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an office that was added, left as it was, and changed, When its acts are looked at,
    for words in (ZUID, ZUID, ("--review", "always")):
        assert shell("office", "add", "0077", *words).returncode == 0
    settings = shell.read_settings(monkeypatch)
    database = Database(settings.database_url_of("signup"))
    with database.read() as session:
        rows = acts.about(session, office_subject("0077"))
    database.close()
    # Then each change has one, by whoever sat at the keyboard, with nothing of people in it.
    assert [(row.what, row.who, row.address) for row in rows] == [
        ("signup.put_office", whoever_asks(), "command line")
    ] * 2
    assert acts.details_of(rows[-1])["review"] == "always"
    assert all("zuid@kantoor.example" not in row.details for row in rows)
