"""What is kept of a sign-up that was refused whole."""

import json
from typing import Any

import pytest

from shared.trade.discretion import TAKEN_OUT, without_citizen_numbers

SIGNUP: dict[str, Any] = {
    "office_code": "0042",
    "customer": {
        "company": "Bakkerij De Korenaar",
        "legal_form": "eenmanszaak",
        "kvk": "01234567",
        "vat_id": "NL004495445B01",
        "address": {"number": "12", "postcode": "1234 AB"},
    },
    "payer": {"iban": "NL91ABNA0417164300"},
    "remarks": "mijn bsn is 111222333",
}
ENVELOPE = {"id": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "type": "signup.submitted.v1"}


@pytest.mark.parametrize("structured", [True, False])
def test_citizen_numbers_are_taken_out_and_nothing_else(structured: bool) -> None:
    # Given a sign-up with two, in an envelope or with its attributes in headers,
    document = ENVELOPE | {"data": SIGNUP} if structured else SIGNUP
    # When it is kept, Then those two texts are not, and all else is.
    kept = json.loads(without_citizen_numbers(json.dumps(document).encode()))
    customer = SIGNUP["customer"] | {"vat_id": TAKEN_OUT}
    clean = SIGNUP | {"customer": customer, "remarks": TAKEN_OUT}
    assert kept == (ENVELOPE | {"data": clean} if structured else clean)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1]",
        b"[" * 100_000,
        b'{"data": 7}',
        b'{"data": {"end_to_end_id": "111222333"}}',
        json.dumps({"customer": {"vat_id": "NL004495445B01", "legal_form": "bv"}}).encode(),
    ],
    ids=["empty", "broken", "list", "deep", "no fields", "another's reference", "a legal person"],
)
def test_what_holds_none_is_kept_as_it_came(body: bytes) -> None:
    assert without_citizen_numbers(body) == body
