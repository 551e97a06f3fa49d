"""What the payer's bank wants before it collects under a business mandate.

A B2B mandate must be registered by the payer at their own bank. Customers of some banks do it
themselves online; the others take a form (Betaalvereniging Nederland; see the docs of the trade).
"""

from dataclasses import dataclass

from shared.base.words import Words

FORM = Words(
    "Vraag uw bank om het formulier om een doorlopende machtiging bedrijven te registreren, vul "
    "het in met de gegevens hieronder en lever het bij uw bank in.",
    "Ask your bank for its form to register a recurrent business mandate, fill it in with the "
    "details below, and hand it in at your bank.",
)


@dataclass(frozen=True)
class Bank:
    """A bank by its code in an IBAN: its name, and where a business mandate is registered."""

    code: str
    name: str
    online: Words | None = None


def _online(code: str, name: str) -> Bank:
    steps = Words(
        f"Log in bij {name}, ga naar uw incassomachtigingen en registreer daar een nieuwe "
        "zakelijke machtiging met de gegevens hieronder.",
        f"Log in at {name}, go to your direct debit mandates, and register a new business "
        "mandate there with the details below.",
    )
    return Bank(code, name, steps)


BANKS = {
    bank.code: bank
    for bank in (
        _online("INGB", "ING"),
        _online("RABO", "Rabobank"),
        _online("KNAB", "Knab"),
        _online("CITI", "Citibank"),
        Bank("ABNA", "ABN AMRO"),
        Bank("ASNB", "ASN Bank"),
        Bank("BNGH", "BNG Bank"),
        Bank("BUNQ", "bunq"),
        Bank("RBRB", "RegioBank"),
        Bank("SNSB", "SNS"),
        Bank("TRIO", "Triodos Bank"),
        Bank("FVLB", "Van Lanschot Kempen"),
    )
}


def bank_of(iban: str | None) -> Bank | None:
    """The bank of a Dutch account; None when it is none of those, or is not known yet."""
    return BANKS.get(iban[4:8]) if iban and iban.startswith("NL") else None


def registration_of(iban: str | None) -> Words:
    """How the payer registers a business mandate at the bank of this account."""
    bank = bank_of(iban)
    return bank.online if bank is not None and bank.online is not None else FORM
