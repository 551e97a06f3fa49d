"""`stappenplan audit` beside services at work, for a person and for a script."""

import json

import pytest

from tests.integration.audit.conftest import CUSTOMERS, INBOX, Spoiler
from tests.integration.command_line.shell import Shell
from tests.servers.premises import wait_until

pytestmark = pytest.mark.parametrize("travelled", ["sqlite"], indirect=True)
"""What differs between databases is below the command, and tried in the other files."""


@pytest.fixture
def shell(spoiler: Spoiler) -> Shell:
    settings = spoiler.stage.settings
    return Shell(settings.data_dir, {"DATABASE_URL": settings.database_url})


def test_books_that_balance_are_told_and_end_with_0(shell: Shell) -> None:
    answer = shell("audit")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    line = f"customers  accepted {CUSTOMERS} · arrived {CUSTOMERS} · lost 0 · doubled 0"
    assert answer.stdout.startswith(line)
    assert "The books balance." in answer.stdout
    document = shell.json("audit", "--json")
    assert document["balanced"] is True
    assert document["customers"]["arrived"] == CUSTOMERS
    assert {row["lost"] for row in document["events"]} == {0}


def test_in_a_narrow_window_every_figure_is_still_read(shell: Shell) -> None:
    answer = Shell(shell.data_dir, shell.settings, columns=60)("audit")
    assert max(map(len, answer.stdout.splitlines())) <= 60
    assert "registration.completed.v1\n" in answer.stdout
    (billing,) = [row for row in answer.stdout.splitlines() if "→ billing" in row and "10" in row]
    assert billing.split()[2:] == ["10", "10", "0", "0", "0"]


def test_a_lost_event_ends_with_1_and_its_advice_brings_it(spoiler: Spoiler, shell: Shell) -> None:
    # Given an event that activation never got,
    event = spoiler.said("registration", "registration.completed.v1")
    spoiler.take_away("activation", INBOX, INBOX.c.id == event["id"])
    # When somebody closes the books, Then they are told what to do, and a script is too.
    answer = shell("audit")
    assert answer.returncode == 1
    together = " ".join(answer.stdout.split())
    assert "The books do not balance." in together
    assert event["id"] in together
    listed = shell("audit", "--json")
    assert listed.returncode == 1
    (finding,) = json.loads(listed.stdout)["findings"]
    # When they do it, Then the books balance again.
    advice = finding["advice"].split("`")[1].split()
    assert advice[:3] == ["stappenplan", "replay", "activation"]
    assert shell(*advice[1:]).returncode == 0
    wait_until(lambda: spoiler.close(pause=0).balanced, "it has been heard")
    wait_until(lambda: not spoiler.close(pause=0).suspects, "nothing is missing")
    spoiler.stack.pop_all()  # There is nothing left to mend.
