"""What is kept of a sign-up that was refused whole: everything but a citizen number.

A refused message is kept until a person decides, and a citizen number is kept nowhere.
"""

import json
from collections.abc import Mapping
from typing import Any

from shared.trade.citizen_number import holds_citizen_number, is_old_vat_number

TAKEN_OUT = "[bsn]"
"""What stands where a text with a citizen number stood."""


def without_citizen_numbers(body: bytes) -> bytes:
    """The body of a message about a customer, with each text taken out that holds such a number.

    A body without one, of another message, or that is no JSON, is given back as it is: numbers
    there are references of other systems, and may look the same.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return body
    data = document.get("data", document) if isinstance(document, Mapping) else None
    if not isinstance(data, Mapping) or "customer" not in data:
        return body
    clean = _clean(data)
    if clean == data:
        return body
    return json.dumps(clean if data is document else document | {"data": clean}).encode()


def _clean(part: Mapping[str, Any]) -> dict[str, Any]:
    form = part.get("legal_form")
    return {
        name: _cleaned(name, value, form if isinstance(form, str) else None)
        for name, value in part.items()
    }


def _cleaned(name: str, value: Any, legal_form: str | None) -> Any:
    if isinstance(value, Mapping):
        return _clean(value)
    if isinstance(value, list):
        return [_cleaned(name, item, legal_form) for item in value]
    if not isinstance(value, str):
        return value
    # A legal person's number passes the same test, and is no secret.
    is_vat_id = name == "vat_id"
    given = is_old_vat_number(value, legal_form) if is_vat_id else holds_citizen_number(value)
    return TAKEN_OUT if given else value
