"""How people are reached: e-mail addresses, and mobile numbers in E.164.

What checks them is imported where it is used: it takes long to load, and a start needs none of it.
"""

from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator

from shared.base.text import NotPlainText, normal, undirected
from shared.trade.citizen_number import holds_citizen_number

HOME = "NL"
"""A number without its country is one of this country (ISO 3166-1)."""

MACHINES = "+3197"
"""Dutch numbers of machines (097) take no text messages (ACM's numbering plan)."""

LONGEST_ADDRESS = 200


class NotAnEmailAddress(ValueError):
    """It is no e-mail address that could exist; the text says why."""


class Unmailable(NotAnEmailAddress):
    """Only few mail servers could take a letter to it: before the @ stands more than ASCII."""


class NotAPhoneNumber(ValueError):
    """It is no telephone number, in the Netherlands or with its country."""


class NotMobile(ValueError):
    """It is a telephone number, but takes no text messages."""


class OfAMachine(NotMobile):
    """It is the number of a machine."""


# A form is asked for an address by what is loaded for it, and again when it is checked: of a whole
# batch of them first the one, then the other. What is refused is not kept.
@lru_cache(maxsize=1024)
def email_address(value: str) -> str:
    """An e-mail address as it is kept, compared and mailed; whether somebody has it is not asked.

    Its domain is in small letters, in the form of the DNS (IDNA 2008, RFC 5891: A-labels).

    Raises:
        NotAnEmailAddress: no address can be like this, or it holds a citizen number; `Unmailable`
            when what stands before the @ needs SMTPUTF8 (RFC 6531), which senders and receivers
            lack.
    """
    from email_validator import EmailNotValidError, validate_email

    try:
        written = normal(undirected(value))
        if not written.rpartition("@")[0].isascii():
            raise Unmailable("before the @ only plain letters, digits and signs can be mailed")
        address = validate_email(
            written, check_deliverability=False, allow_smtputf8=False, strict=True
        ).ascii_email
    except (EmailNotValidError, NotPlainText) as error:
        raise NotAnEmailAddress(str(error)) from None
    if holds_citizen_number(written):
        raise NotAnEmailAddress("this looks like a citizen number (BSN); give another address")
    if address is None or len(address) > LONGEST_ADDRESS:
        raise NotAnEmailAddress(f"an address has at most {LONGEST_ADDRESS} characters")
    return address


def dns_domain(value: str) -> str:
    """A domain as the DNS has it, in ASCII (IDNA 2008 with the mapping of UTS 46).

    An `ß` stays what it is; the older IDNA 2003 made it `ss`, which is another domain.

    Raises:
        ValueError: no domain can be like this.
    """
    if value.isascii():
        return value.encode("idna").decode("ascii")
    import idna

    return idna.encode(value, uts46=True).decode("ascii")


def mobile_number(value: str) -> str:
    """A mobile number in E.164; a Dutch one may begin with 06.

    Raises:
        NotAPhoneNumber: there is no such number.
        NotMobile: it takes no text messages; `OfAMachine` when it is a machine's.
    """
    import phonenumbers
    from phonenumbers import PhoneNumberType

    try:
        written = normal(undirected(value)).removeprefix("tel:")
        if any(sign.isalpha() for sign in written):
            # It would be dialled by the keys of a telephone: an O for a nought becomes a 6.
            raise NotAPhoneNumber("this is not a telephone number")
        number = phonenumbers.parse(written, HOME)
    except (phonenumbers.NumberParseException, NotPlainText):
        raise NotAPhoneNumber("this is not a telephone number") from None
    if not phonenumbers.is_valid_number(number):
        raise NotAPhoneNumber("this is not a mobile number")
    formatted = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if formatted.startswith(MACHINES):
        raise OfAMachine("this is not a mobile number")
    kind = phonenumbers.number_type(number)
    if kind not in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE):
        raise NotMobile("this is not a mobile number")
    return formatted


EmailAddress = Annotated[str, AfterValidator(email_address)]
MobileNumber = Annotated[str, AfterValidator(mobile_number)]
