"""The rules of the trade for single fields, each giving the normal form or raising `Wrong`."""

import re
from datetime import datetime, timedelta

from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_97_10
from stdnum.nl import bsn, btw, postcode

from services.signup.form.form import Wrong
from shared.trade import contact
from shared.trade.iban import NotAnIban, NotSepa, sepa_iban

CLOCK_TOLERANCE = timedelta(minutes=5)
MAIL_DOMAINS = (
    "gmail.com",
    "hotmail.com",
    "hotmail.nl",
    "outlook.com",
    "live.nl",
    "icloud.com",
    "yahoo.com",
    "ziggo.nl",
    "kpnmail.nl",
    "kpnplanet.nl",
    "planet.nl",
    "xs4all.nl",
    "home.nl",
    "upcmail.nl",
    "hetnet.nl",
    "casema.nl",
)


def kvk(value: str) -> str:
    """A Chamber of Commerce number: 8 digits, text, leading zeros kept; it has no check digit."""
    digits = re.sub(r"[ .]", "", value)
    if re.fullmatch(r"[0-9]{12}", digits):
        raise Wrong("kvk_branch")
    if not re.fullmatch(r"[0-9]{8}", digits):
        raise Wrong("kvk_format")
    return digits


def vat_id(value: str, *, sole_trader: bool) -> str:
    """A VAT id; a sole trader's old tax number, which is their citizen number, is refused.

    Since 2020 a sole trader's VAT id satisfies mod-97 and no longer holds their BSN
    (Belastingdienst); the value itself is never stored, logged or repeated.
    """
    compact = re.sub(r"[ .\-]", "", value).upper()
    if sole_trader and _holds_citizen_number(compact):
        raise Wrong("vat_is_citizen_number")
    try:
        if compact.startswith("NL"):
            return f"NL{btw.validate(compact)}"
        return str(eu_vat.validate(compact))
    except ValidationError:
        raise Wrong("vat_format") from None


def _holds_citizen_number(compact: str) -> bool:
    """Whether it is an old number made of a BSN, with or without its zeros, NL and suffix."""
    parts = re.fullmatch(r"(?:NL)?([0-9]{1,9})(B[0-9]{1,2})?", compact)
    if parts is None:
        return False
    digits, suffix = parts[1].zfill(9), parts[2] or ""
    return bool(bsn.is_valid(digits)) and not mod_97_10.is_valid(f"NL{digits}{suffix}")


def no_citizen_number(value: str) -> str:
    """Free text in which nobody left a labelled citizen number."""
    for label, digits in re.findall(r"(?i)(bsn|burgerservice\w*)\D{0,20}(\d[\d. ]{7,10}\d)", value):
        if label and bsn.is_valid(re.sub(r"\D", "", digits)):
            raise Wrong("citizen_number")
    return value


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
    import schwifty

    return bool(schwifty.IBAN(value).bank_name)


def dutch_postcode(value: str) -> str:
    """A Dutch postcode in its normal form, `1234 AB`."""
    try:
        return str(postcode.validate(value.upper()))
    except ValidationError:
        raise Wrong("postcode_format") from None


def country(value: str) -> str:
    """A country code of two letters (ISO 3166-1)."""
    # It takes long to load, and a start needs none of it.
    import phonenumbers

    code = value.upper()
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise Wrong("country_unknown")
    return code


def email(value: str) -> str:
    """An e-mail address that could exist; whether it does is not asked."""
    try:
        return contact.email_address(value)
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
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise Wrong("terms_time") from None
    if moment.tzinfo is None:
        raise Wrong("terms_time")
    if moment > now + CLOCK_TOLERANCE:
        raise Wrong("terms_future")
    return moment


def likely_meant(address: str) -> str | None:
    """The address with a common domain, when the one given is a letter or two beside it."""
    local, _, domain = address.rpartition("@")
    domain = domain.lower()
    if domain in MAIL_DOMAINS:
        return None
    near = [common for common in MAIL_DOMAINS if _distance(domain, common) <= 1]
    return f"{local}@{near[0]}" if near else None


def _distance(word: str, other: str) -> int:
    """How many letters to add, drop, change or swap (Damerau, optimal string alignment)."""
    if abs(len(word) - len(other)) > 2:
        return 3
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(word, 1):
        above, row, before2 = row, [i], before
        before = above
        for j, b in enumerate(other, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and word[i - 2] == b:
                cost = min(cost, before2[j - 2] + 1)
            row.append(cost)
    return row[-1]
