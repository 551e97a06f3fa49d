"""`stappenplan dead`: what failed for good, and what a person decides about it."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.run.runtimes import BusFactory, build_runtimes
from shared.messaging.bus import Incoming
from shared.notifications.tables import FAILED, Notification
from shared.persistence.database import Database
from shared.processing.dead_letters import REJECTED
from shared.processing.store.tables import DEAD, Inbox
from tests.e2e.king import collection_result
from tests.integration.command_line.shell import Shell

GOOD_ID = "11111111-aaaa-4aaa-8aaa-000000000001"
OTHER_ID = "11111111-bbbb-4bbb-8bbb-000000000002"
MAIL_ID = "22222222-cccc-4ccc-8ccc-000000000003"
REASON = "data.amount_cents: Input should be greater than 0"


@pytest.fixture
def letters(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Two dead messages and a mail that could not be sent, all of billing."""
    shell("db", "upgrade")
    database = Database(shell.read_settings(monkeypatch).database_url_of("billing"))
    now = datetime.now(UTC)
    with database.begin() as session:
        for letter_id in (GOOD_ID, OTHER_ID):
            session.add(
                Inbox(
                    id=letter_id,
                    type="collection.result.v1",
                    subject=GOOD_ID,
                    digest="d",
                    status=DEAD,
                    received_at=now,
                    attempts=6,
                    body=b'{"amount_cents": -1}',
                    properties="{}",
                    error=REASON,
                )
            )
        session.add(
            Notification(
                id=MAIL_ID,
                kind="order_confirmation",
                channel="email",
                recipient="weg@klant.example",
                language="nl",
                onboarding_id=GOOD_ID,
                params={},
                status=FAILED,
                created_at=now,
                due_at=now,
                attempts=5,
                error="the mailbox does not exist",
            )
        )
    database.close()
    return shell


def test_the_list_groups_what_failed_alike(letters: Shell) -> None:
    shown = letters("dead", "list").stdout
    # One heading with the count and the error, then each id.
    assert shown.count(REASON) == 1
    assert "2 dead" in shown
    assert all(text in shown for text in (GOOD_ID, OTHER_ID, MAIL_ID, "the mailbox does not exist"))


def test_the_list_of_one_service_is_for_scripts_too(letters: Shell) -> None:
    rows = letters.json("dead", "list", "billing", "--json")
    assert {row["id"] for row in rows} == {GOOD_ID, OTHER_ID, MAIL_ID}
    assert letters.json("dead", "list", "signup", "--json") == []


def test_the_list_for_scripts_says_how_many_are_alike(letters: Shell) -> None:
    alike = {row["id"]: row["alike"] for row in letters.json("dead", "list", "--json")}
    assert alike == {GOOD_ID: 2, OTHER_ID: 2, MAIL_ID: 1}


def test_one_letter_is_shown_whole(letters: Shell) -> None:
    shown = letters("dead", "show", "billing", GOOD_ID).stdout
    assert "-1" in shown
    assert REASON in " ".join(shown.split())
    assert letters.json("dead", "show", "billing", MAIL_ID, "--json")["recipient"]


def test_a_retry_is_on_record_and_happens_once(letters: Shell) -> None:
    # Given a dead letter, by the beginning of its id,
    first = letters("dead", "retry", "billing", GOOD_ID[:12], "--why", "corrected", "--by", "anna")
    # When somebody retries it, Then it is due again;
    assert first.returncode == 0, first.stderr
    # whoever comes second is told who was first.
    second = letters("dead", "retry", "billing", GOOD_ID, "--by", "bram")
    assert second.returncode == 1
    assert "anna" in second.stderr
    assert OTHER_ID in letters("dead", "list").stdout


def test_a_mail_is_retried_or_dropped_like_a_message(letters: Shell) -> None:
    dropped = letters("dead", "drop", "billing", MAIL_ID, "--why", "phoned him", "--by", "anna")
    assert dropped.returncode == 0, dropped.stderr
    kept = letters.json("dead", "show", "billing", MAIL_ID, "--json")
    assert (kept["decided_by"], kept["decision"]) == ("anna", "drop: phoned him")


def test_dropping_needs_a_reason(letters: Shell) -> None:
    assert letters("dead", "drop", "billing", GOOD_ID).returncode == 2
    assert GOOD_ID in letters("dead", "list").stdout


def test_an_id_that_two_letters_share_is_asked_again(letters: Shell) -> None:
    answer = letters("dead", "drop", "billing", GOOD_ID[:4], "--why", "x")
    assert answer.returncode == 1
    assert "several" in answer.stderr


def test_a_wrong_id_does_not_keep_the_others_from_being_decided(letters: Shell) -> None:
    answer = letters("dead", "drop", "billing", "nobody", OTHER_ID, "--why", "old")
    assert answer.returncode == 1
    assert "there is no dead letter nobody" in answer.stderr
    assert OTHER_ID not in letters("dead", "list").stdout


REPORT = collection_result(GOOD_ID) | {"id": "33333333-dddd-4ddd-8ddd-000000000004"}


@pytest.fixture
def refused(letters: Shell, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a report of KING's that billing has refused."""
    settings = letters.read_settings(monkeypatch)
    runtimes = build_runtimes(settings, BusFactory(settings), ["billing"])
    body = json.dumps(REPORT | {"data": {**REPORT["data"], "attempt": "first"}}).encode()
    runtimes[0].engine.take([Incoming(body, "collection.result.v1")])
    runtimes[0].database.close()
    rows = letters.json("dead", "list", "billing", "--json")
    return next(str(row["id"]) for row in rows if row["id"].startswith(REJECTED))


@pytest.mark.parametrize("columns", [60, 100])
def test_however_narrow_the_terminal_no_id_is_cut(
    letters: Shell, refused: str, columns: int
) -> None:
    # Given a letter with a long id, at a terminal of so many columns,
    narrow = replace(letters, columns=columns)
    # When the letters are listed, Then every id stands on a line that has room for it;
    listed = narrow("dead", "list").stdout.splitlines()
    lines = [line for line in listed if GOOD_ID in line or refused[:24] in line]
    assert len(lines) == 2
    assert max(len(line) for line in lines) <= columns
    # and when one is shown whole, nothing of it is left out.
    shown = narrow("dead", "show", "billing", refused).stdout
    assert "…" not in shown
    assert refused in "".join(shown.split())


def test_a_correction_from_a_file_is_kept_beside_the_original(letters: Shell, refused: str) -> None:
    # Given a refused report, and a file with the right one,
    file = letters.data_dir / "right.json"
    file.write_text(json.dumps(REPORT))
    # When it is corrected,
    answer = letters(
        "dead", "retry", "billing", refused[:20], "--body", str(file), "--why", "typing error",
        "--by", "anna",
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    # Then it is due with the correction, and both are shown, with who and why.
    shown = letters.json("dead", "show", "billing", refused, "--json")
    assert (shown["status"], shown["body"]["data"]["attempt"]) == ("waiting", 1)
    assert shown["original"]["body"]["data"]["attempt"] == "first"
    (decision,) = shown["decisions"]
    assert (decision["by"], decision["why"]) == ("anna", "typing error")
    output = " ".join(letters("dead", "show", "billing", refused).stdout.split())
    assert "typing error" in output
    assert '"attempt": "first"' in output


def test_a_correction_by_standard_input_is_judged_before_it_is_taken(
    letters: Shell, refused: str
) -> None:
    # When the correction is wrong as well, Then it says what is wrong and nothing is changed.
    wrong = json.dumps(REPORT | {"data": {}})
    answer = letters("dead", "retry", "billing", refused, "--body", "-", stdin=wrong)
    assert answer.returncode == 1
    assert "order_reference" in answer.stderr
    assert "Traceback" not in answer.stderr
    shown = letters.json("dead", "show", "billing", refused, "--json")
    assert (shown["status"], shown["decisions"]) == ("dead", [])


def test_a_correction_is_of_one_letter_and_in_a_file_that_is_there(
    letters: Shell, refused: str
) -> None:
    several = letters("dead", "retry", "billing", refused, GOOD_ID, "--body", "-", stdin="{}")
    assert several.returncode == 2
    missing = letters("dead", "retry", "billing", refused, "--body", "/no/such/file")
    assert (missing.returncode, "cannot read" in missing.stderr) == (2, True)
    mail = letters("dead", "retry", "billing", MAIL_ID, "--body", "-", stdin="{}")
    assert (mail.returncode, "a mail has no body" in mail.stderr) == (1, True)


def test_a_retry_is_rehearsed_and_nothing_of_it_is_done(
    letters: Shell, refused: str, tmp_path: Path
) -> None:
    # Given the correction of a report that billing has refused
    correction = tmp_path / "correction.json"
    correction.write_text(json.dumps(REPORT))
    asked = ("dead", "rehearse", "billing", refused, "--body", str(correction))
    # When its retry is rehearsed
    foretold = letters.json(*asked, "--json")
    # Then the row that would be written is told, and it still waits for a decision.
    assert foretold["is_well"]
    (row,) = foretold["rows"]
    assert row["is_new"]
    assert ["order_reference", "", "O-2026-999999"] in row["fields"]
    assert "nothing of this was done" in letters(*asked).stdout
    assert refused in {one["id"] for one in letters.json("dead", "list", "billing", "--json")}


CITIZEN = "111222333"


@pytest.mark.parametrize(
    "words",
    [
        ("drop", "billing", GOOD_ID, "--why", f"hij heeft bsn {CITIZEN}"),
        ("retry", "billing", GOOD_ID, "--why", f"bsn {CITIZEN}"),
        ("retry", "billing", "--all", "--why", f"bsn {CITIZEN}"),
        ("drop", "billing", GOOD_ID, "--why", "old", "--by", f"anna, bsn {CITIZEN}"),
        ("retry", "billing", "--all", "--by", f"anna, bsn {CITIZEN}"),
        ("drop", "billing", GOOD_ID, "--why", "x" * 2001),
        ("drop", "billing", GOOD_ID, "--why", " "),
    ],
)
def test_no_reason_is_kept_that_a_page_would_refuse(letters: Shell, words: tuple[str, ...]) -> None:
    answer = letters("dead", *words)
    # It is refused by the option's name, is not repeated, and nothing was decided.
    assert (answer.returncode, CITIZEN in answer.stderr) == (2, False), answer.stderr
    assert answer.stderr.startswith(("--why: ", "--by: "))
    assert GOOD_ID in letters("dead", "list").stdout
