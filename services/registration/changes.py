"""What a correction of a sign-up may hold; what is left out stays, what is null is taken away."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.events.shapes import Language, LegalForm, PayerKind

Text = Annotated[str, Field(max_length=800)]
"""What it comes to, and whether it may be, the sign-up's own rules say, field by field."""


class Changes(BaseModel):
    """Some fields of a part of a sign-up."""

    model_config = ConfigDict(extra="forbid")


class AddressChanges(Changes):
    """Where the company is."""

    street: Text | None = None
    number: Text | None = None
    postcode: Text | None = None
    city: Text | None = None
    country: Text | None = None


class ContactChanges(Changes):
    """The person at the customer."""

    first_name: Text | None = None
    infix: Text | None = None
    last_name: Text | None = None


class CustomerChanges(Changes):
    """The customer."""

    company: Text | None = None
    legal_form: LegalForm | None = None
    kvk: Text | None = None
    vat_id: Text | None = None
    address: AddressChanges = Field(default_factory=AddressChanges)
    contact: ContactChanges = Field(default_factory=ContactChanges)
    email: Text | None = None
    mobile: Text | None = None
    language: Language = "nl"


class PackageChanges(Changes):
    """What is ordered; `modules` are all of them."""

    code: Text = ""
    modules: list[Text] = Field(default=[], max_length=50)


class PayerChanges(Changes):
    """Who pays."""

    kind: PayerKind = "customer"
    name: Text | None = None
    email: Text | None = None
    iban: Text | None = None
    account_holder: Text | None = None


class Correction(Changes):
    """What is wrong in a sign-up, as it should be."""

    customer: CustomerChanges = Field(default_factory=CustomerChanges)
    package: PackageChanges = Field(default_factory=PackageChanges)
    payer: PayerChanges = Field(default_factory=PayerChanges)

    @model_validator(mode="after")
    def _something(self) -> "Correction":
        if not self.fields():
            raise ValueError("name at least one field, with what it should be")
        return self

    def parts(self) -> dict[str, Any]:
        """What was named, by part."""
        return self.model_dump(exclude_unset=True)

    def fields(self) -> tuple[str, ...]:
        """The names of the fields that change, for the record: never what they hold."""
        return tuple(_names(self.parts()))


def _names(changes: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in changes.items():
        if isinstance(value, Mapping):
            yield from _names(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"
