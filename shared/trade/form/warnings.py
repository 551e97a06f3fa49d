"""What the office should see about a sign-up, in both languages."""

import re

from shared.base.words import Words
from shared.events.shapes import Language

WARNINGS: dict[str, Words] = {
    "email_typo": Words(
        "Het e-mailadres lijkt een tikfout te bevatten; misschien is {suggestion} bedoeld.",
        "The e-mail address may hold a typing error; perhaps {suggestion} was meant.",
    ),
    "iban_bank_unknown": Words(
        "De bank van dit IBAN is niet bekend; controleer het nummer.",
        "The bank of this IBAN is not known; check the number.",
    ),
    "kvk_missing": Words(
        "Er is geen KvK-nummer ingevuld.",
        "No KvK number was filled in.",
    ),
    "payer_office": Words(
        "De klant wil dat uw kantoor betaalt; controleer of dat is afgesproken.",
        "The customer wants your office to pay; check that this was agreed.",
    ),
    "link_in_text": Words(
        "In de gegevens staat een internetadres; de klant is daarom niet gemaild.",
        "The details hold an internet address; that is why the customer was not mailed.",
    ),
    "too_many_signups": Words(
        "Er kwamen in een uur te veel inschrijvingen; de klant is daarom niet gemaild.",
        "Too many sign-ups came within an hour; that is why the customer was not mailed.",
    ),
    "likely_duplicate": Words(
        "Er loopt al een inschrijving van dit bedrijf voor dit pakket: {references}.",
        "A sign-up of this company for this package is already under way: {references}.",
    ),
}


def warning_text(code: str, language: Language, **values: object) -> str:
    """The sentence for something that the office should see."""
    return WARNINGS[code].in_(language).format(**values)


def warning_words(code: str, text: str) -> Words:
    """A warning that was said in one language, in both: each reads it in their own.

    The event holds the sentence alone, so the values in it are read back from there. A sentence
    that is none of ours, such as an earlier version's, stays as it was said.
    """
    for sentence in WARNINGS.get(code, ()):
        if (values := _values(sentence, text)) is not None:
            return Words(*(said.format(**values) for said in WARNINGS[code]))
    return Words(text, text)


def _values(sentence: str, text: str) -> dict[str, str] | None:
    """What was filled in where the sentence has a name in braces; None where it is another."""
    pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(sentence))
    found = re.fullmatch(pattern, text)
    return found.groupdict() if found else None
