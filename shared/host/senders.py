"""Whose name mails, texts and collections go out under, as it is set: looked at at the start.

What nobody could send or collect under would otherwise be found out message by message, and each
of them, and whoever waits for it, would be blamed for it.
"""

import re

MAIL_FORM = "write it as Name <address@domain.example>, or as an address alone"
SMS_FORM = "write 3 to 11 letters, digits or hyphens, with a letter among them"
SMS_SENDER = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9-]{3,11}")
IDENTIFIER_FORM = (
    "this is no SEPA creditor identifier, such as NL69ZZZ123456780000: look at its digits again"
)

# The validators load what checks them when something was set: the defaults are right.


def mail_sender(text: str) -> str:
    """Whom mails are from.

    Raises:
        ValueError: no mail could be from that.
    """
    from shared.notifications.senders.outgoing import named_mailbox

    try:
        named_mailbox(text)
    except ValueError:
        raise ValueError(MAIL_FORM) from None
    return text


def mail_recipient(text: str) -> str:
    """To whom mails go: an address alone.

    Raises:
        ValueError: no mail could go there.
    """
    from shared.notifications.senders.outgoing import mailbox

    try:
        mailbox(text)
    except ValueError:
        raise ValueError("write an address alone, as orders@domain.example") from None
    return text


def text_sender(text: str) -> str:
    """Whom text messages are from, as SNS takes it.

    Raises:
        ValueError: no text message could be from that.
    """
    if SMS_SENDER.fullmatch(text) is None:
        raise ValueError(SMS_FORM)
    return text


def on_every_mandate(text: str) -> str:
    """What stands on a mandate of whoever collects (EPC AT-03, AT-05), without blanks around it.

    Raises:
        ValueError: it is blank: no bank would take what a payer has signed.
    """
    if not text.strip():
        raise ValueError("this stands on every mandate: fill it in, or leave it out")
    return text.strip()


def creditor_identifier(text: str) -> str:
    """By what banks know who collects (EPC AT-02), without the blanks that people write in it.

    Raises:
        ValueError: its check digits are wrong: banks would refuse every collection.
    """
    from stdnum.eu import at_02
    from stdnum.exceptions import ValidationError

    try:
        return str(at_02.validate(text))
    except ValidationError:
        raise ValueError(IDENTIFIER_FORM) from None
