"""Links and answers of mails that wait in a database until they are sent."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import text

from shared.events.envelope import Envelope
from shared.links import Purpose
from shared.notifications.messages import Mail
from shared.notifications.queue import enqueue
from shared.notifications.senders import Email
from shared.processing.effects import CausedEffect
from shared.processing.testing import onboarding
from tests.integration.notifications.mailroom import MAIL_ADDRESS, Mailroom

TEMPLATE = '{% block subject %}Dag{% endblock %}{% block body %}{{ page("status") }}{% endblock %}'
OFFICE = "Kantoor De Linde <kantoor@linde.example>"
BAKERY = onboarding("bakkerij")


def write_down(mailroom: Mailroom, folder: Path) -> None:
    """A mail with a link, to be answered to the office, waits."""
    (folder / "templates" / "linked").mkdir()
    (folder / "templates" / "linked" / "nl.md").write_text(TEMPLATE)
    mail = Mail("linked", MAIL_ADDRESS, "nl", {"name": "Anna"}, reply_to=OFFICE)
    cause = Envelope("mail", "/tests", "mailroom.greet", BAKERY, mailroom.now)
    with mailroom.database.begin() as session:
        enqueue(session, [CausedEffect("mail", mail, cause)], mailroom.now)


def test_a_link_is_made_when_its_mail_is_sent_and_kept_nowhere(
    mailroom: Mailroom, tmp_path: Path
) -> None:
    # Given a mail that waits for a day, since its provider was away, When it is sent,
    write_down(mailroom, tmp_path)
    mailroom.deliver(timedelta(days=1))
    (message,) = mailroom.provider.sent
    assert isinstance(message, Email)
    # Then its link is about the mail's customer, and good for ninety days from then on.
    token = message.text.split()[0].rpartition("/status/")[2]
    signed = mailroom.runtime.settings.page_links().read(Purpose.STATUS, token, mailroom.now)
    assert signed.claims["sub"] == BAKERY
    assert signed.expires_at == mailroom.now + timedelta(days=90)
    # Nothing that lets anybody in is left in the database.
    with mailroom.database.read() as session:
        rows = session.execute(text("SELECT * FROM notification")).all()
    assert token not in str(rows)
    assert "/status/" not in str(rows)


def test_an_answer_goes_where_the_handler_meant_it_to(mailroom: Mailroom, tmp_path: Path) -> None:
    write_down(mailroom, tmp_path)
    mailroom.deliver()
    (message,) = mailroom.provider.sent
    assert isinstance(message, Email)
    assert message.reply_to == OFFICE


def test_a_mail_without_a_word_on_it_is_answered_to_nobody(mailroom: Mailroom) -> None:
    mailroom.put("mail")
    mailroom.deliver()
    (message,) = mailroom.provider.sent
    assert isinstance(message, Email)
    assert message.reply_to is None
