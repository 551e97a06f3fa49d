"""What the log tells of a notification: each line can be found by it, none tells of a person."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from shared.base.errors import Conflict
from shared.base.log_fields import add_log_fields
from shared.notifications.kinds import NotificationKind
from shared.notifications.senders.files import MailFolder
from shared.notifications.senders.protocol import ProviderUnavailable, SendFailed, Undeliverable
from shared.processing import Effect
from shared.processing.testing import onboarding
from tests.integration.notifications.mailroom import MAIL_ADDRESS, Mailroom, Provider

FIELDS = {
    "service": "mailroom",
    "notification_id": "mail",
    "onboarding_id": onboarding("mail"),
    "kind": "greeting",
}


def lines_of(mailroom: Mailroom) -> list[dict[str, object]]:
    """What is logged while one mail is tried."""
    mailroom.put("mail")
    with capture_logs(processors=[add_log_fields]) as lines:
        mailroom.deliver()
    return [dict(line) for line in lines]


def conflict(*_: object) -> Sequence[Effect]:
    structlog.get_logger().info("a_line_of_the_kind")
    raise Conflict("state_moved_on", "The customer has left.")


@pytest.mark.parametrize(
    ("failures", "events"),
    [
        ([], ["notification_sent"]),
        ([SendFailed("500")] * 3, ["notification_delayed", "notification_waits"]),
        ([ProviderUnavailable("Throttling")] * 3, ["provider_unavailable", "notification_waits"]),
        ([Undeliverable("MessageRejected")], ["notification_failed"]),
        ([RuntimeError("not foreseen")], ["notification_delayed", "notification_waits"]),
    ],
)
def test_every_line_about_a_notification_bears_its_fields(
    failures: list[Exception], events: list[str], mailroom: Mailroom
) -> None:
    # Given a provider that does so, When a mail is tried,
    mailroom.provider = Provider(*failures)
    lines = lines_of(mailroom)
    # Then each line says which notification it is about.
    assert [line["event"] for line in lines] == events
    for line in lines:
        assert line.items() >= FIELDS.items()


def test_the_lines_of_provider_and_kind_bear_them_too(mailroom: Mailroom, tmp_path: Path) -> None:
    # Given mails that become files, and a kind that logs,
    folder = MailFolder(tmp_path / "mail", "Mailroom <a@b.example>")
    mailroom.provider.send = folder.send  # type: ignore[method-assign,assignment]
    mailroom.kinds["greeting"] = NotificationKind(sent=conflict)
    # When a mail is tried,
    lines = lines_of(mailroom)
    # Then all lines can be found by the notification, and none shows the whole address.
    assert [line["event"] for line in lines] == [
        "mail_written",
        "a_line_of_the_kind",
        "a_line_of_the_kind",
        "notification_failed",
    ]
    (written,) = (line for line in lines if line["event"] == "mail_written")
    assert written["provider_id"] == mailroom.row().provider_id
    for line in lines:
        assert line.items() >= FIELDS.items()
        assert MAIL_ADDRESS not in str(line)
