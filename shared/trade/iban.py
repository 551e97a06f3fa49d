"""Accounts that a SEPA direct debit can reach."""

from shared.base.text import compact

# fmt: off
SEPA = frozenset((
    "AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GI",
    "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT", "LU", "LV", "MC", "MT", "NL", "NO",
    "PL", "PT", "RO", "SE", "SI", "SK", "SM", "VA", "AD", "AL", "ME", "MK", "MD", "RS",
))
# fmt: on
"""Countries whose accounts SEPA direct debit reaches (EPC409-09)."""


class NotAnIban(ValueError):
    """It is no IBAN: its length, letters or check digits are wrong."""


class NotSepa(NotAnIban):
    """It is an IBAN of a country that SEPA direct debit does not reach."""


def sepa_iban(value: str) -> str:
    """An IBAN of a SEPA country, in capitals without blanks or hyphens (ISO 13616, mod 97).

    Raises:
        NotAnIban: it is none; `NotSepa` when its country is out of reach.
    """
    import schwifty

    try:
        parsed = schwifty.IBAN(compact(value).upper())
    except ValueError:
        raise NotAnIban("this IBAN is not right; check its digits and letters") from None
    if parsed.country_code not in SEPA:
        raise NotSepa("this account is outside SEPA; give the IBAN of an account within it")
    return str(parsed)


def bank_name(iban: str) -> str | None:
    """The bank of a valid IBAN, where the register has it; a Dutch IBAN may be valid without."""
    import schwifty

    return schwifty.IBAN(iban).bank_name or None
