"""How people are reached: e-mail addresses, and mobile numbers in E.164.

What checks them is imported where it is used: it takes long to load, and a start needs none of it.
"""

from typing import Annotated

from pydantic import AfterValidator

HOME = "NL"
"""A number without its country is one of this country (ISO 3166-1)."""

MACHINES = "+3197"
"""Dutch numbers of machines (097) take no text messages (ACM's numbering plan)."""


class NotAnEmailAddress(ValueError):
    """It is no e-mail address that could exist; the text says why."""


class NotAPhoneNumber(ValueError):
    """It is no telephone number, in the Netherlands or with its country."""


class NotMobile(ValueError):
    """It is a telephone number, but takes no text messages."""


class OfAMachine(NotMobile):
    """It is the number of a machine."""


def email_address(value: str) -> str:
    """An e-mail address in its normal form; whether somebody has it is not asked.

    Raises:
        NotAnEmailAddress: no address can be like this.
    """
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(value, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise NotAnEmailAddress(str(error)) from None


def mobile_number(value: str) -> str:
    """A mobile number in E.164; a Dutch one may begin with 06.

    Raises:
        NotAPhoneNumber: there is no such number.
        NotMobile: it takes no text messages; `OfAMachine` when it is a machine's.
    """
    import phonenumbers
    from phonenumbers import PhoneNumberType

    try:
        number = phonenumbers.parse(value, HOME)
    except phonenumbers.NumberParseException:
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
