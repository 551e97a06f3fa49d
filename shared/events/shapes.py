"""The shapes that several events share: office, customer, package, payer.

What travels between our own services has been validated by signup, so the shapes here check
structure and length; the rules of the trade are in `services/signup`.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from shared.base.moments import read_day, read_moment

Line = Annotated[str, StringConstraints(max_length=200)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=35)]
Email = Line
Mobile = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")]
Color = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]
"""As style sheets write one: the office's own, for pages and documents."""

Moment = Annotated[AwareDatetime, BeforeValidator(read_moment)]
"""A moment that somebody outside wrote, read as at every other door."""

Day = Annotated[date, BeforeValidator(read_day)]
"""A day that somebody outside wrote: never a number, nor a moment."""

Language = Literal["nl", "en"]
Channel = Literal["email", "sms"]
PayerKind = Literal["customer", "office", "other"]
LegalForm = Literal[
    "eenmanszaak", "vof", "maatschap", "bv", "nv", "stichting", "vereniging", "cooperatie", "other"
]


class Shape(BaseModel):
    """A part of an event: immutable, and deaf to fields it does not know.

    What is wrong with one is told without what was entered, since errors are kept and logged.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Office(Shape):
    """The accounting office, as much of it as other services need; signup owns it."""

    code: Code
    name: Line
    email: Email
    phone: Line | None = None
    language: Language = "nl"
    review: Literal["always", "flagged"] = "flagged"
    base_administration: Code = "standard"
    color: Color | None = None


class Address(Shape):
    """Where the company is; `country` is ISO 3166-1 alpha-2."""

    street: Line
    number: Annotated[str, StringConstraints(max_length=20)]
    postcode: Annotated[str, StringConstraints(max_length=12)]
    city: Line
    country: Annotated[str, StringConstraints(min_length=2, max_length=2)] = "NL"


class Contact(Shape):
    """The person at the customer; the infix (tussenvoegsel) stands between the names."""

    first_name: Line
    infix: Line | None = None
    last_name: Line

    @property
    def full_name(self) -> str:
        """First name, infix and last name with single spaces."""
        return " ".join(part for part in (self.first_name, self.infix, self.last_name) if part)


class Customer(Shape):
    """The office's client who will keep his books online."""

    company: Line
    legal_form: LegalForm | None = None
    kvk: Annotated[str, StringConstraints(pattern=r"^[0-9]{8}$")] | None = None
    vat_id: Annotated[str, StringConstraints(max_length=20)] | None = None
    address: Address
    contact: Contact
    email: Email
    mobile: Mobile | None = None
    language: Language = "nl"


class Package(Shape):
    """A package of the catalogue and the modules taken with it."""

    code: Code
    modules: tuple[Code, ...] = Field(default=(), max_length=50)


class Payer(Shape):
    """Who pays: the customer himself, his office, or somebody else."""

    kind: PayerKind
    name: Line | None = None
    email: Email | None = None
    iban: Annotated[str, StringConstraints(max_length=34)] | None = None
    account_holder: Line | None = None


class Terms(Shape):
    """Which terms were accepted, and when."""

    version: Line
    accepted_at: Moment


class Warning(Shape):
    """Something about a sign-up that does not stop it but that the office should see."""

    code: Code
    text: Annotated[str, StringConstraints(max_length=500)]
    needs_review: bool = False
