"""What signup's handlers need loaded, by keys in the normal form in which they are kept."""

from collections.abc import Iterator, Mapping

from services.signup.commands import PutOffice
from services.signup.models import (
    Office,
    Signup,
    SignupCount,
    company_key,
    office_key,
    recipient_key,
)
from shared.processing import Entities, Load, Message, RawEvent, by_subject
from shared.trade import contact
from shared.trade.form import rules
from shared.trade.form.form import Wrong, line_of, number_of


def office_code_of(data: Mapping[str, object]) -> str | None:
    """The office that a sign-up is for, as the form reads it."""
    return _line(data, "office_code", limit=35)


def _line(data: Mapping[str, object], name: str, limit: int = 200) -> str | None:
    try:
        return line_of(data.get(name), limit)
    except Wrong:
        return None


def _part(message: Message, name: str) -> Mapping[str, object]:
    """A part of a submitted form; empty where the message is no form, or the part is none."""
    content = message.content
    part = content.data.get(name) if isinstance(content, RawEvent) else None
    return part if isinstance(part, Mapping) else {}


def _email(part: Mapping[str, object]) -> str | None:
    address = _line(part, "email")
    try:
        return contact.email_address(address) if address else None
    except contact.NotAnEmailAddress:
        return None


def _office(message: Message, _entities: Entities) -> str | None:
    content = message.content
    if isinstance(content, PutOffice):
        return content.code
    return office_code_of(content.data) if isinstance(content, RawEvent) else None


def _kvk(message: Message) -> str | None:
    try:
        written = number_of(_part(message, "customer").get("kvk"), 200)
        return rules.kvk(written) if written else None
    except Wrong:
        return None


def _company(message: Message) -> str | None:
    customer = _part(message, "customer")
    company, email = _line(customer, "company"), _email(customer)
    return company_key(company, email) if company and email else None


def _alike(message: Message, _entities: Entities) -> list[str]:
    """The KvK number and the company's key, of which no one can be taken for the other."""
    return [key for key in (_kvk(message), _company(message)) if key]


def _counted(message: Message, entities: Entities) -> Iterator[str]:
    content = message.content
    if isinstance(content, RawEvent):
        office = entities[Office].get(office_code_of(content.data))
        yield office_key(office.code if office else "")
    for part in ("customer", "payer"):
        if email := _email(_part(message, part)):
            yield recipient_key(email)


SIGNUP = by_subject(Signup)
OFFICE = Load(Office, "code", _office)
"""Locked: two sign-ups of one company at the same moment must see one another as duplicates."""
ALIKE = Load(Signup, "kvk", _alike, lock=False, or_column="company_key")
COUNTS = Load(SignupCount, "key", _counted)
