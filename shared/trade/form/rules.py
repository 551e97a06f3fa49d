"""The rules of the trade for single fields, each giving the normal form or raising `Wrong`."""

import re
from datetime import datetime, timedelta

from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError
from stdnum.nl import btw, postcode

from shared.base.moments import NotAMoment, read_moment
from shared.base.text import compact
from shared.trade import contact
from shared.trade.citizen_number import is_old_vat_number
from shared.trade.form.form import Wrong
from shared.trade.iban import NotAnIban, NotSepa, bank_name, sepa_iban

CLOCK_TOLERANCE = timedelta(minutes=5)


def kvk(value: str) -> str:
    """A Chamber of Commerce number: 8 digits, text, leading zeros kept; it has no check digit."""
    digits = compact(value)
    if re.fullmatch(r"[0-9]{12}", digits):
        raise Wrong("kvk_branch")
    if not re.fullmatch(r"[0-9]{8}", digits):
        raise Wrong("kvk_format")
    return digits


def vat_id(value: str, *, legal_form: str | None) -> str:
    """A VAT id; an old one that is made of a citizen number is refused, whosever it is said to be.

    Since 2020 a sole trader's VAT id satisfies mod-97 and no longer holds their BSN
    (Belastingdienst); the value itself is never stored, logged or repeated.
    """
    code = compact(value).upper()
    if is_old_vat_number(code, legal_form):
        raise Wrong("vat_is_citizen_number")
    try:
        return f"NL{btw.validate(code)}" if code.startswith("NL") else str(eu_vat.validate(code))
    except ValidationError:
        raise Wrong("vat_format") from None


def iban(value: str) -> str:
    """An IBAN of a SEPA country, in capitals without blanks."""
    try:
        return sepa_iban(value)
    except NotSepa:
        raise Wrong("iban_not_sepa") from None
    except NotAnIban:
        raise Wrong("iban_invalid") from None


def bank_is_known(value: str) -> bool:
    """Whether the IBAN's bank is in the register; a Dutch IBAN may be valid without one."""
    return bank_name(value) is not None


def dutch_postcode(value: str) -> str:
    """A Dutch postcode in its normal form, `1234 AB`."""
    try:
        return str(postcode.validate(compact(value).upper()))
    except ValidationError:
        raise Wrong("postcode_format") from None


def country(value: str) -> str:
    """A country code of two letters (ISO 3166-1)."""
    # It takes long to load, and a start needs none of it.
    import pycountry

    code = compact(value).upper()
    if len(code) != 2 or pycountry.countries.get(alpha_2=code) is None:
        raise Wrong("country_unknown")
    return code


def email(value: str) -> str:
    """An e-mail address that could exist; whether it does is not asked."""
    try:
        return contact.email_address(value)
    except contact.Unmailable:
        raise Wrong("email_unmailable") from None
    except contact.NotAnEmailAddress:
        raise Wrong("email_invalid") from None


def mobile(value: str) -> str:
    """A mobile number in E.164; a Dutch one may begin with 06."""
    try:
        return contact.mobile_number(value)
    except contact.NotAPhoneNumber:
        raise Wrong("mobile_invalid") from None
    except contact.OfAMachine:
        raise Wrong("mobile_machine") from None
    except contact.NotMobile:
        raise Wrong("mobile_landline") from None


def accepted_at(value: str, now: datetime) -> datetime:
    """When the terms were accepted: a moment with an offset (RFC 3339), not in the future."""
    try:
        moment = read_moment(value)
    except NotAMoment:
        raise Wrong("terms_time") from None
    if moment > now + CLOCK_TOLERANCE:
        raise Wrong("terms_future")
    return moment
