"""What people call the fields of a sign-up."""

import pytest
from pydantic import BaseModel

from shared.events import SignupSubmitted
from shared.events.shapes import Address, Contact, Customer, Package, Payer, Terms
from shared.trade.form.texts import FIELD_NAMES, field_name

PARTS: dict[str, type[BaseModel]] = {
    "": SignupSubmitted,
    "customer.": Customer,
    "customer.address.": Address,
    "customer.contact.": Contact,
    "package.": Package,
    "payer.": Payer,
    "terms.": Terms,
}


def test_every_field_of_a_signup_has_a_name_in_both_languages() -> None:
    # Given every field that a website may send, When their names are asked for,
    fields = {f"{part}{name}" for part, shape in PARTS.items() for name in shape.model_fields}
    # Then each has one, and there is none for a field that does not exist.
    assert fields == FIELD_NAMES.keys()


@pytest.mark.parametrize(
    ("field", "dutch", "english"),
    [
        ("customer.kvk", "KvK-nummer", "KvK number"),
        ("package.modules.2", "Modules", "Modules"),
        ("customer.address.postcode", "Postcode", "Postcode"),
        ("unheard.of", "unheard.of", "unheard.of"),
    ],
)
def test_a_field_is_called_as_people_call_it(field: str, dutch: str, english: str) -> None:
    assert (field_name(field, "nl"), field_name(field, "en")) == (dutch, english)
