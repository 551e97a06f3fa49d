"""What a person reads about a field that is wrong: its name, and what to do, in both languages.

No text repeats what was entered: an entry may be a citizen number.
"""

import re

from shared.events.shapes import Language

FIELD_NAMES: dict[str, tuple[str, str]] = {
    "office_code": ("Kantoorcode", "Office code"),
    "customer": ("Uw gegevens", "Your details"),
    "customer.company": ("Bedrijfsnaam", "Company name"),
    "customer.legal_form": ("Rechtsvorm", "Legal form"),
    "customer.kvk": ("KvK-nummer", "KvK number"),
    "customer.vat_id": ("Btw-id", "VAT id"),
    "customer.address": ("Adres", "Address"),
    "customer.address.street": ("Straat", "Street"),
    "customer.address.number": ("Huisnummer", "House number"),
    "customer.address.postcode": ("Postcode", "Postcode"),
    "customer.address.city": ("Plaats", "Town or city"),
    "customer.address.country": ("Land", "Country"),
    "customer.contact": ("Contactpersoon", "Contact person"),
    "customer.contact.first_name": ("Voornaam", "First name"),
    "customer.contact.infix": ("Tussenvoegsel", "Name prefix"),
    "customer.contact.last_name": ("Achternaam", "Last name"),
    "customer.email": ("E-mailadres", "E-mail address"),
    "customer.mobile": ("Mobiel nummer", "Mobile number"),
    "customer.language": ("Taal", "Language"),
    "package": ("Pakket", "Package"),
    "package.code": ("Pakket", "Package"),
    "package.modules": ("Modules", "Modules"),
    "payer": ("Betaler", "Payer"),
    "payer.kind": ("Wie betaalt", "Who pays"),
    "payer.name": ("Naam van de betaler", "Payer's name"),
    "payer.email": ("E-mailadres van de betaler", "Payer's e-mail address"),
    "payer.iban": ("IBAN", "IBAN"),
    "payer.account_holder": ("Naam van de rekeninghouder", "Account holder's name"),
    "preferred_channel": ("Sms of e-mail", "Text message or e-mail"),
    "terms": ("Voorwaarden", "Terms"),
    "terms.version": ("Versie van de voorwaarden", "Version of the terms"),
    "terms.accepted_at": ("Tijdstip van uw akkoord", "When you accepted the terms"),
    "remarks": ("Opmerkingen", "Remarks"),
}
"""What people call the fields of a sign-up."""

POSITION = re.compile(r"\.\d+$")
"""Which one of a list: a person sees that by its contents."""

TEXTS: dict[str, tuple[str, str]] = {
    "missing": ("Vul dit veld in.", "Fill in this field."),
    "not_text": ("Dit veld moet tekst bevatten.", "This field must hold text."),
    "not_object": (
        "Dit onderdeel moet een object met velden zijn.",
        "This part must be an object with fields.",
    ),
    "not_list": ("Dit veld moet een lijst bevatten.", "This field must hold a list."),
    "too_many": ("Kies er hoogstens {limit}.", "Choose at most {limit}."),
    "too_long": (
        "Dit veld is te lang: hoogstens {limit} tekens.",
        "This field is too long: at most {limit} characters.",
    ),
    "control_character": (
        "Dit veld bevat een regeleinde of ander onzichtbaar teken; haal dat weg.",
        "This field holds a line break or another invisible character; remove it.",
    ),
    "choice": ("Kies een van: {choices}.", "Choose one of: {choices}."),
    "office_unknown": (
        "Dit kantoor is niet bekend; controleer de kantoorcode.",
        "This office is not known; check the office code.",
    ),
    "kvk_format": (
        "Een KvK-nummer heeft precies 8 cijfers; neem voorloopnullen over.",
        "A KvK number has exactly 8 digits; keep leading zeros.",
    ),
    "kvk_branch": (
        "Dit is een vestigingsnummer (12 cijfers); vul het KvK-nummer van 8 cijfers in.",
        "This is a branch number (12 digits); fill in the KvK number of 8 digits.",
    ),
    "vat_format": (
        "Dit is geen geldig btw-id van een EU-land; een Nederlands btw-id ziet eruit als "
        "NL123456789B01. Hebt u er geen uit de EU, laat dit veld dan leeg.",
        "This is not a valid VAT id of an EU country; a Dutch one looks like NL123456789B01. "
        "If you have none from the EU, leave this field empty.",
    ),
    "vat_is_citizen_number": (
        "Dit lijkt uw omzetbelastingnummer; vul uw btw-id in, of kies de rechtsvorm van uw "
        "bedrijf. Uw burgerservicenummer bewaren wij niet.",
        "This looks like your tax number; fill in your VAT id, or choose your company's legal "
        "form. We do not keep your citizen number.",
    ),
    "iban_invalid": (
        "Dit IBAN klopt niet; controleer de cijfers en letters.",
        "This IBAN is not right; check its digits and letters.",
    ),
    "iban_not_sepa": (
        "Van een rekening in dit land kan niet worden geïncasseerd; kies een SEPA-land.",
        "An account in this country cannot be collected from; choose a SEPA country.",
    ),
    "postcode_format": (
        "Een postcode ziet eruit als 1234 AB.",
        "A Dutch postcode looks like 1234 AB.",
    ),
    "country_unknown": (
        "Vul de landcode van twee letters in, bijvoorbeeld NL.",
        "Fill in the country code of two letters, for example NL.",
    ),
    "email_invalid": (
        "Dit e-mailadres klopt niet; controleer het.",
        "This e-mail address is not right; check it.",
    ),
    "email_unmailable": (
        "Naar een adres met letters als ü of é vóór de @ kan geen mail; vul een ander adres in.",
        "An address with letters such as ü or é before the @ cannot be mailed; give another one.",
    ),
    "mobile_invalid": (
        "Dit is geen geldig telefoonnummer; vul bijvoorbeeld 06 12345678 in.",
        "This is not a valid telephone number; fill in +31 6 12345678, for example.",
    ),
    "mobile_landline": (
        "Naar een vast nummer kan geen sms; vul een mobiel nummer in of kies e-mail.",
        "A landline takes no text messages; fill in a mobile number, or choose e-mail.",
    ),
    "mobile_machine": (
        "Dit nummer is voor apparaten (097), niet voor sms; vul een mobiel nummer in.",
        "This number is for machines (097), not for text messages; fill in a mobile number.",
    ),
    "mobile_needed": (
        "Voor sms is een mobiel nummer nodig; vul het in of kies e-mail.",
        "A text message needs a mobile number; fill it in, or choose e-mail.",
    ),
    "package_unknown": (
        "Dit pakket bestaat niet; kies een van: {choices}.",
        "This package does not exist; choose one of: {choices}.",
    ),
    "module_unknown": (
        "Deze module bestaat niet; kies uit: {choices}.",
        "This module does not exist; choose from: {choices}.",
    ),
    "office_does_not_pay": (
        "Dit kantoor betaalt niet voor zijn klanten; kies een andere betaler.",
        "This office does not pay for its customers; choose another payer.",
    ),
    "terms_time": (
        "Vul in wanneer de voorwaarden zijn aanvaard, als 2026-11-24T09:30:00+01:00.",
        "Fill in when the terms were accepted, as 2026-11-24T09:30:00+01:00.",
    ),
    "terms_future": (
        "De voorwaarden kunnen niet in de toekomst zijn aanvaard; controleer de klok.",
        "The terms cannot have been accepted in the future; check the clock.",
    ),
    "citizen_number": (
        "Dit lijkt een burgerservicenummer; vul dat nergens in. Wij bewaren het niet.",
        "This looks like a citizen number; do not fill it in anywhere. We do not keep it.",
    ),
}


def text(code: str, language: Language, **values: object) -> str:
    """The sentence for a wrong field."""
    dutch, english = TEXTS[code]
    return (english if language == "en" else dutch).format(**values)


def field_name(field: str, language: Language) -> str:
    """What a person calls a field; one that nobody named is called as the event calls it."""
    dutch, english = FIELD_NAMES.get(POSITION.sub("", field), (field, field))
    return english if language == "en" else dutch
