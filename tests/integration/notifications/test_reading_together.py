"""Mails that need rows to be described: read for a whole batch, whatever is wrong with some."""

from collections.abc import Sequence

from sqlmodel import Session

from shared.notifications.kinds import Describe, NotificationKind, describe
from shared.notifications.rendering.jobs import RenderJob
from shared.notifications.tables import SENT, WAITING, Notification
from tests.integration.notifications.mailroom import Mailroom, names


class Reader:
    """Reads what mails need, and notes for which of them; those named `unreadable` have none."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def read(self, _session: Session, notifications: Sequence[Notification]) -> Describe:
        ids = sorted(notification.id for notification in notifications)
        self.batches.append(ids)
        if "unreadable" in ids:
            raise LookupError("its rows cannot be read")
        read = dict.fromkeys(ids, "what they need")

        def describe_read(session: Session, notification: Notification) -> RenderJob:
            assert read[notification.id]
            return describe(session, notification)

        return describe_read


def test_what_the_mails_of_a_batch_need_is_read_once(mailroom: Mailroom) -> None:
    # Given mails of two kinds that need the same to be described, and one that needs nothing,
    reader = Reader()
    for kind in ("greeting", "copy"):
        mailroom.kinds[kind] = NotificationKind(read_together=reader.read)
    mailroom.put(*names(3))
    mailroom.put("copy 0", kind="copy")
    mailroom.put("plain", kind="plain")
    # When they are sent, Then it was read once, for those that need it.
    mailroom.deliver()
    assert reader.batches == [["copy 0", *names(3)]]
    assert sorted(mailroom.provider.keys) == names(3)


def test_one_that_cannot_be_read_does_not_hold_up_its_batch(mailroom: Mailroom) -> None:
    # Given a batch with one mail whose rows make reading fail,
    mailroom.kinds["greeting"] = NotificationKind(read_together=Reader().read)
    mailroom.put("unreadable", *names(3))
    # When it is sent, Then the others leave, and only that one is blamed.
    mailroom.deliver()
    rows = mailroom.rows()
    assert [rows[name].status for name in names(3)] == [SENT] * 3
    assert (rows["unreadable"].status, rows["unreadable"].attempts) == (WAITING, 1)
    assert "cannot be read" in (rows["unreadable"].error or "")
