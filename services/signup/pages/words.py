"""The words of the sign-up form: its fields, and what can be chosen in them."""

from shared.web.pages import Words

FIELDS: dict[str, Words] = {
    "customer.company": Words("Bedrijfsnaam", "Company name"),
    "customer.legal_form": Words("Rechtsvorm", "Legal form"),
    "customer.kvk": Words("KvK-nummer", "KvK number"),
    "customer.vat_id": Words("Btw-id", "VAT id"),
    "customer.address.street": Words("Straat", "Street"),
    "customer.address.number": Words("Huisnummer", "House number"),
    "customer.address.postcode": Words("Postcode", "Postcode"),
    "customer.address.city": Words("Plaats", "Town or city"),
    "customer.address.country": Words("Land", "Country"),
    "customer.contact.first_name": Words("Voornaam", "First name"),
    "customer.contact.infix": Words("Tussenvoegsel", "Prefix"),
    "customer.contact.last_name": Words("Achternaam", "Last name"),
    "customer.email": Words("E-mailadres", "E-mail address"),
    "customer.mobile": Words("Mobiel nummer", "Mobile number"),
    "customer.language": Words("Taal van onze berichten", "Language of our messages"),
    "package.code": Words("Pakket", "Package"),
    "package.modules": Words("Extra modules", "Additional modules"),
    "payer.kind": Words("Wie betaalt?", "Who pays?"),
    "payer.name": Words("Naam van de betaler", "Name of the payer"),
    "payer.email": Words("E-mailadres van de betaler", "E-mail address of the payer"),
    "payer.iban": Words("IBAN", "IBAN"),
    "payer.account_holder": Words("Op naam van", "Account holder"),
    "preferred_channel": Words(
        "Hoe wilt u uw inloggegevens ontvangen?", "How would you like to get your log-in details?"
    ),
    "terms_accepted": Words("Voorwaarden", "Terms"),
    "remarks": Words("Opmerkingen voor uw kantoor", "Remarks for your office"),
}
"""What the form asks, in the order in which it is asked."""

CHOSEN: dict[str, Words] = {
    "package.code": Words("Pakket", "Package"),
    "payer.kind": Words("Betaler", "Payer"),
    "preferred_channel": Words("Inloggegevens", "Log-in details"),
}
"""What is chosen rather than filled in, as it is called in a list of what is wrong."""

CHOOSE = Words("Maak een keuze.", "Please make a choice.")

LEGAL_FORMS: dict[str, Words] = {
    "eenmanszaak": Words("Eenmanszaak", "Sole trader (eenmanszaak)"),
    "vof": Words("Vennootschap onder firma (vof)", "General partnership (vof)"),
    "maatschap": Words("Maatschap", "Professional partnership (maatschap)"),
    "bv": Words("Besloten vennootschap (bv)", "Private limited company (bv)"),
    "nv": Words("Naamloze vennootschap (nv)", "Public limited company (nv)"),
    "stichting": Words("Stichting", "Foundation (stichting)"),
    "vereniging": Words("Vereniging", "Association (vereniging)"),
    "cooperatie": Words("Coöperatie", "Cooperative (coöperatie)"),
    "other": Words("Een andere rechtsvorm", "Another legal form"),
}

LANGUAGES: dict[str, Words] = {
    "nl": Words("Nederlands", "Dutch"),
    "en": Words("Engels", "English"),
}

CHANNELS: dict[str, Words] = {
    "email": Words("Per e-mail", "By e-mail"),
    "sms": Words("Per sms", "By text message"),
}

PERIODS: dict[str, Words] = {
    "monthly": Words("per maand", "per month"),
    "yearly": Words("per jaar", "per year"),
}

BANK_UNKNOWN = Words(
    "Wij kennen de bank van dit IBAN niet. Kijk het nummer nog eens na.",
    "We do not know the bank of this IBAN. Please check the number once more.",
)
TERMS_NEEDED = Words(
    "Zet een vinkje als u de voorwaarden aanvaardt; zonder kunt u zich niet inschrijven.",
    "Tick the box if you accept the terms; you cannot sign up without.",
)
TERMS_CHANGED = Words(
    "De voorwaarden zijn zojuist gewijzigd. Lees ze nog eens en zet opnieuw een vinkje.",
    "The terms have just changed. Please read them again and tick the box once more.",
)
"""Where the terms were accepted by another version than the one that holds now."""

REASON_TROUBLE = Words(
    "Vul hoogstens 200 tekens in, op één regel, zonder burgerservicenummer.",
    "Please write at most 200 characters, on one line, without a citizen number.",
)
