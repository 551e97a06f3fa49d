"""An office as KING keeps it: what is checked, whoever enters it and by which door."""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field

from services.signup.commands import HowItPays, PutOffice, office_subject
from shared.events.shapes import Color
from shared.host.runtime import Runtime
from shared.processing import Person
from shared.trade.contact import EmailAddress
from shared.trade.text import PlainCode, PlainLine, is_plain_code

ORIGIN = re.compile(r"https://[a-z0-9]([a-z0-9.\-]*[a-z0-9])?(:[0-9]{1,5})?", re.ASCII)


def origin(value: object) -> object:
    """The origin of a website's pages (RFC 6454), as browsers write it.

    Raises:
        ValueError: it is another address, or none.
    """
    if not isinstance(value, str):
        return value
    site = value.strip().lower().removesuffix("/")
    if ORIGIN.fullmatch(site) is None:
        raise ValueError("a site is written as https://www.kantoor.example, without a path")
    return site


Site = Annotated[str, BeforeValidator(origin), Field(max_length=200)]


class OfficeBody(BaseModel):
    """An office, as KING's back office keeps it."""

    name: PlainLine = Field(min_length=1, max_length=200)
    email: EmailAddress
    phone: PlainCode | None = Field(default=None, max_length=40)
    language: Literal["nl", "en"] = "nl"
    review: Literal["always", "flagged"] = "flagged"
    base_administration: PlainCode = Field(default="standard", min_length=1, max_length=35)
    pays_for_customers: HowItPays = "no"
    color: Color | None = None
    sites: list[Site] = Field(default_factory=list, max_length=20)


def is_office_code(code: str) -> bool:
    """Whether an office may be known by it.

    It becomes part of a broker user's name, and a step in the path of the office's own pages: there
    a slash would be two steps, and browsers take the dots for a way back (WHATWG URL).
    """
    return is_plain_code(code) and "/" not in code and code not in (".", "..")


def put_office(
    runtime: Runtime,
    code: str,
    body: OfficeBody,
    *,
    by: Person,
    key: str | None = None,
    is_new: bool = False,
) -> PutOffice:
    """Add or change an office; returns what is kept of it from now on.

    Raises:
        Conflict: it was to be a new one, and there is one by that code.
    """
    command = PutOffice(code=code, is_new=is_new, **body.model_dump())
    runtime.handle(command, subject=office_subject(code), by=by, key=key)
    return command
