"""`stappenplan doctor` sees that mails wait and nobody delivers them."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.notifications.tables import WAITING, Notification
from shared.persistence.database import Database
from tests.integration.command_line.shell import Shell


def mails_of_signup(shell: Shell) -> dict[str, Any]:
    """What the doctor says of them."""
    findings = json.loads(shell("doctor", "--json").stdout)
    (finding,) = [row for row in findings if row["check"] == "mails of signup"]
    return dict(finding)


@pytest.mark.parametrize(("hours", "fine"), [(0.5, True), (2, False)])
def test_a_mail_that_nobody_sends_is_named(
    broker_shell: Shell, monkeypatch: pytest.MonkeyPatch, hours: float, fine: bool
) -> None:
    # Given a mail that has been due for so long, as where every process only consumes,
    assert broker_shell("db", "upgrade").returncode == 0
    due = datetime.now(UTC) - timedelta(hours=hours)
    address = broker_shell.read_settings(monkeypatch).database_url_of("signup")
    with closing(Database(address)) as database, database.begin() as session:
        session.add(
            Notification(
                id="11111111-1111-4111-8111-111111111111",
                onboarding_id="11111111-1111-4111-8111-111111111111",
                kind="signup_received",
                channel="email",
                recipient="klant@bakkerij.example",
                language="nl",
                params={},
                status=WAITING,
                created_at=due,
                due_at=due,
            )
        )
    # When the doctor looks, Then it is fine for an hour; afterwards the sentence says what to run.
    finding = mails_of_signup(broker_shell)
    assert finding["ok"] is fine
    if not fine:
        assert "stappenplan run signup --only deliver" in finding["advice"]
