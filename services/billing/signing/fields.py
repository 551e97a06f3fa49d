"""What may stand in the fields of a signature, whoever fills them in: KING, or the payer."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from shared.base.errors import FieldError
from shared.base.words import Words
from shared.trade.iban import sepa_iban
from shared.trade.text import PlainLine

Signer = Annotated[PlainLine, Field(min_length=1, max_length=200)]
Place = Annotated[PlainLine, Field(min_length=1, max_length=100)]
Iban = Annotated[str, AfterValidator(sepa_iban)]

FALLBACK = Words("Kijk dit veld na.", "Please check this field.")
MISSING: Mapping[str, Words] = {
    "signed_by": Words("Vul uw naam in.", "Enter your name."),
    "place": Words("Vul de plaats in waar u tekent.", "Enter the place where you sign."),
    "iban": Words(
        "Vul het IBAN in waarvan wij mogen incasseren.",
        "Enter the IBAN that we may collect from.",
    ),
    "account_holder": Words(
        "Vul in op wiens naam de rekening staat.", "Enter whose name the account is in."
    ),
    "accepted": Words(
        "Zet een vinkje als u akkoord gaat; zonder akkoord kunt u niet tekenen.",
        "Tick the box if you agree; without it you cannot sign.",
    ),
    "posted_on": Words(
        "Kies de dag waarop u de brief hebt gepost.", "Choose the day on which you posted it."
    ),
    "scan": Words("Kies een bestand.", "Choose a file."),
    "code": Words("Vul de zes cijfers uit de e-mail in.", "Enter the six digits from the e-mail."),
}
WRONG: Mapping[str, Words] = {
    "iban": Words(
        "Dit IBAN klopt niet, of de rekening is buiten het SEPA-gebied; kijk het na.",
        "This IBAN is not right, or the account is outside SEPA; please check it.",
    ),
    "posted_on": Words("Dit is geen datum; kies een dag.", "This is no date; choose a day."),
}
TEXT = Words(
    "Hier staat een teken of een burgerservicenummer dat er niet hoort; haal het weg.",
    "There is a sign or a citizen number here that does not belong; remove it.",
)
TOO_LONG = Words("Dit is te lang; kort het in.", "This is too long; shorten it.")


class OnlineForm(BaseModel):
    """What a payer fills in to sign online."""

    signed_by: Signer
    place: Place
    iban: Iban | None = None
    account_holder: Signer | None = None
    accepted: Literal["yes"]


class OnlineFormWithAccount(OnlineForm):
    """The same where no account is known that may be collected from."""

    iban: Iban
    account_holder: Signer


class PostedForm(BaseModel):
    """The day on which the payer posted the paper."""

    posted_on: date


def field_errors(
    error: ValidationError,
    language: str,
    *,
    absent: Mapping[str, Words] = MISSING,
    wrong: Mapping[str, Words] = WRONG,
) -> list[FieldError]:
    """What is wrong with each field, in the reader's language; no text repeats what was typed.

    `absent` and `wrong` are what is said of a field that is empty, or cannot be what it is for.
    """
    details = error.errors(include_url=False)
    return [_field_error(detail, language, absent, wrong) for detail in details]


def missing(name: str, language: str, absent: Mapping[str, Words] = MISSING) -> FieldError:
    """That a field is empty."""
    return FieldError(field=name, code="missing", message=absent[name].in_(language))


def _field_error(
    detail: Mapping[str, Any],
    language: str,
    absent: Mapping[str, Words],
    wrong: Mapping[str, Words],
) -> FieldError:
    name, kind = str(detail["loc"][0]), str(detail["type"])
    if kind in ("missing", "literal_error", "string_too_short"):
        return missing(name, language, absent)
    words = wrong.get(name, TEXT if kind == "value_error" else FALLBACK)
    if kind == "string_too_long":
        words = TOO_LONG
    return FieldError(field=name, code=kind, message=words.in_(language))
