"""How a mail names the office that its reader knows, and where an answer to it goes."""

from typing import Any

from shared.events.shapes import Office


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
    # A name that looks like an encoded word could be read as something else, or not at all.
    return office.email if "=?" in office.name else f"{office.name} <{office.email}>"
