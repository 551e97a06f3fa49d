"""What the office should see about a sign-up, in its own language."""

from shared.events.shapes import Language

WARNINGS: dict[str, tuple[str, str]] = {
    "email_typo": (
        "Het e-mailadres lijkt een tikfout te bevatten; misschien is {suggestion} bedoeld.",
        "The e-mail address may hold a typing error; perhaps {suggestion} was meant.",
    ),
    "iban_bank_unknown": (
        "De bank van dit IBAN is niet bekend; controleer het nummer.",
        "The bank of this IBAN is not known; check the number.",
    ),
    "kvk_missing": (
        "Er is geen KvK-nummer ingevuld.",
        "No KvK number was filled in.",
    ),
    "payer_office": (
        "De klant wil dat uw kantoor betaalt; controleer of dat is afgesproken.",
        "The customer wants your office to pay; check that this was agreed.",
    ),
    "link_in_text": (
        "In de gegevens staat een internetadres; de klant is daarom niet gemaild.",
        "The details hold an internet address; that is why the customer was not mailed.",
    ),
    "too_many_signups": (
        "Er kwamen in een uur te veel inschrijvingen; de klant is daarom niet gemaild.",
        "Too many sign-ups came within an hour; that is why the customer was not mailed.",
    ),
    "likely_duplicate": (
        "Er loopt al een inschrijving van dit bedrijf voor dit pakket: {references}.",
        "A sign-up of this company for this package is already under way: {references}.",
    ),
}


def warning_text(code: str, language: Language, **values: object) -> str:
    """The sentence for something that the office should see."""
    dutch, english = WARNINGS[code]
    return (english if language == "en" else dutch).format(**values)
