"""How a mail names the office that its reader knows, and where an answer to it goes."""

from typing import Any

from shared.events.shapes import Office
from shared.notifications.senders.headers import quoted_name


def office_params(office: Office) -> dict[str, Any]:
    """What every mail that concerns an office's customer says of that office."""
    return {
        "office": office.name,
        "office_code": office.code,
        "office_email": office.email,
        "office_phone": office.phone,
    }


def reply_to(office: Office) -> str:
    """The office's mailbox, for the answers of customers and payers."""
    return f"{quoted_name(office.name)} <{office.email}>"
