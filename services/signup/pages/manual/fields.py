"""What every field means, beside what its schema says of it: so that neither lacks the other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.events.event import Event
from shared.events.king import CollectionResult
from shared.events.website import SignupSubmitted
from shared.web.app import inlined
from shared.web.pages import Words

SIGNUP: Mapping[str, Words] = {
    "office_code": Words(
        "De code van uw kantoor; het token en het bericht moeten van hetzelfde kantoor zijn.",
        "Your office's code; token and message must be of the same office.",
    ),
    "customer.company": Words("De naam van het bedrijf.", "The name of the company."),
    "customer.legal_form": Words("De rechtsvorm.", "The legal form."),
    "customer.kvk": Words(
        "Het KvK-nummer: tekst van 8 cijfers, met de nullen ervoor.",
        "The Chamber of Commerce number: text of 8 digits, with leading zeros.",
    ),
    "customer.vat_id": Words(
        "Het btw-id van een EU-land, zoals NL123456789B01. Een omzetbelastingnummer wordt "
        "geweigerd.",
        "The VAT id of an EU country, such as NL123456789B01. A tax number made of a citizen "
        "number is refused.",
    ),
    "customer.address.street": Words("De straat.", "The street."),
    "customer.address.number": Words(
        "Huisnummer met toevoeging, als tekst.", "House number with its addition, as text."
    ),
    "customer.address.postcode": Words(
        "De postcode; in Nederland zoals 1234 AB.", "The postcode; in the Netherlands as 1234 AB."
    ),
    "customer.address.city": Words("De plaats.", "The town or city."),
    "customer.address.country": Words(
        "Het land in twee letters (ISO 3166-1); zonder is het NL.",
        "The country in two letters (ISO 3166-1); NL if left out.",
    ),
    "customer.contact.first_name": Words("De voornaam.", "The first name."),
    "customer.contact.infix": Words("Het tussenvoegsel, zoals van der.", "The prefix (van der)."),
    "customer.contact.last_name": Words("De achternaam.", "The last name."),
    "customer.email": Words(
        "Het e-mailadres waar de bevestiging heen gaat.",
        "The e-mail address that the confirmation goes to.",
    ),
    "customer.mobile": Words(
        "Mobiel nummer, 06… of met landnummer. Verplicht bij preferred_channel sms.",
        "Mobile number, 06… or with its country code. Needed if preferred_channel is sms.",
    ),
    "customer.language": Words(
        "De taal van de berichten; zonder is het nl.", "Language of the messages; nl if left out."
    ),
    "package.code": Words("Een pakket uit de lijst hieronder.", "A package of the list below."),
    "package.modules": Words(
        "Extra modules uit de lijst hieronder; mag leeg zijn.",
        "Additional modules of the list below; may be empty.",
    ),
    "payer.kind": Words(
        "Wie betaalt: de klant zelf, het kantoor, of een ander.",
        "Who pays: the customer, the office, or somebody else.",
    ),
    "payer.name": Words(
        "De naam van de betaler. Verplicht bij other.", "The payer's name. Needed for other."
    ),
    "payer.email": Words(
        "Waar de order- en incassobevestiging heen gaat. Verplicht bij other.",
        "Where the order confirmation goes. Needed for other.",
    ),
    "payer.iban": Words(
        "De rekening; mag ontbreken, dan vult de betaler haar bij het ondertekenen in.",
        "The account; may be absent, then the payer gives it when signing.",
    ),
    "payer.account_holder": Words("Op wiens naam de rekening staat.", "In whose name it is."),
    "preferred_channel": Words(
        "Hoe de klant zijn inloggegevens wil ontvangen.",
        "How the customer would like to get the log-in details.",
    ),
    "terms.version": Words(
        "Welke voorwaarden zijn aanvaard; uw eigen aanduiding.",
        "Which terms were accepted; in your own notation.",
    ),
    "terms.accepted_at": Words(
        "Wanneer, met tijdzone, en niet in de toekomst.",
        "When, with its time zone, and not in the future.",
    ),
    "remarks": Words(
        "Een opmerking voor het kantoor; geen burgerservicenummer, geen wachtwoord.",
        "A remark for the office; no citizen number, no password.",
    ),
}

RESULT: Mapping[str, Words] = {
    "order_reference": Words(
        "De order, zoals in collection.requested.", "The order, as in collection.requested."
    ),
    "end_to_end_id": Words(
        "Het kenmerk van deze poging, onveranderd overgenomen.",
        "The id of this attempt, taken over unchanged.",
    ),
    "attempt": Words("De hoeveelste poging, zoals gevraagd.", "Which attempt, as it was asked."),
    "amount_cents": Words(
        "Het bedrag in hele centen. Een ander bedrag dan gevraagd wordt vastgehouden.",
        "The amount in whole cents. Another amount than was asked is held.",
    ),
    "currency": Words("De valuta, altijd EUR.", "The currency, always EUR."),
    "status": Words("Wat er is gebeurd; zie hieronder.", "What happened; see below."),
    "reason_code": Words(
        "De code van de bank (ISO 20022), zoals AM04, onveranderd. Bij alles wat misging.",
        "The bank's code (ISO 20022), such as AM04, unchanged. With all that went wrong.",
    ),
    "occurred_at": Words(
        "Wanneer het bij de bank gebeurde, met tijdzone.",
        "When it happened at the bank, with its time zone.",
    ),
}

MEANINGS: Mapping[type[Event], Mapping[str, Words]] = {
    SignupSubmitted: SIGNUP,
    CollectionResult: RESULT,
}

KINDS = {
    "string": Words("tekst", "text"),
    "integer": Words("geheel getal", "whole number"),
    "array": Words("lijst", "list"),
}
MOMENT = Words("moment (RFC 3339)", "moment (RFC 3339)")


@dataclass(frozen=True)
class Field:
    """A field of an event: its name with dots, what may stand in it, whether it must be there."""

    name: str
    kind: Words
    choices: tuple[str, ...]
    is_required: bool
    meaning: Words


def fields_of(event: type[Event]) -> list[Field]:
    """The fields of an event, in the order of its schema.

    Raises:
        KeyError: a field has no words yet.
    """
    meanings = MEANINGS[event]
    return [
        Field(name, _kind(schema), tuple(schema.get("enum", ())), is_required, meanings[name])
        for name, schema, is_required in _leaves(inlined(event.model_json_schema()))
    ]


def unknown_fields(data: Any, event: type[Event]) -> list[str]:
    """Fields that stand in the data and mean nothing: they are ignored, and may be slips."""
    return sorted(_strangers(data, inlined(event.model_json_schema())))


def _leaves(schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any, bool]]:
    required = schema.get("required", ())
    for name, part in schema["properties"].items():
        whole = _without_null(part)
        if "properties" in whole:
            yield from _leaves(whole, f"{path}{name}.")
        else:
            yield f"{path}{name}", whole, name in required


def _strangers(data: Any, schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
    if not isinstance(data, Mapping):
        return
    for name, value in data.items():
        part = schema["properties"].get(name)
        if part is None:
            yield f"{path}{name}"[:100]
        elif "properties" in (whole := _without_null(part)):
            yield from _strangers(value, whole, f"{path}{name}.")


def _without_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a field holds where it is not empty."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind.get("type") != "null"]
    return {**schema, **kinds[0]} if kinds else schema


def _kind(schema: Mapping[str, Any]) -> Words:
    if schema.get("format") == "date-time":
        return MOMENT
    return KINDS[schema.get("type", "string")]
