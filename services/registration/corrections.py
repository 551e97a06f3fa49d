"""What the office may correct of a sign-up, and by which rules: those of the sign-up itself."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from shared.base.errors import FieldError, Invalid
from shared.events import SignupAccepted
from shared.events.shapes import Customer, Package, Payer, Shape
from shared.trade import contact, iban
from shared.trade.catalogue import Catalogue

SHAPES: Mapping[str, type[Shape]] = {"customer": Customer, "package": Package, "payer": Payer}
Parts = dict[str, dict[str, Any]]

FILLED_IN = (
    "customer.company",
    "customer.address.street",
    "customer.address.number",
    "customer.address.postcode",
    "customer.address.city",
    "customer.contact.first_name",
    "customer.contact.last_name",
    "customer.email",
)
BY_ANOTHER = ("payer.name", "payer.email")
"""What must be known of a payer who is neither the customer nor their office."""


def corrected(
    signup: SignupAccepted, changes: Mapping[str, Mapping[str, Any]], catalogue: Catalogue
) -> SignupAccepted:
    """The sign-up with these changes in its customer, package and payer, in normal form.

    A part is changed as far as it is named; a field that is null is taken away (RFC 7396). The one
    place that judges a correction.

    Raises:
        Invalid: what it would become is not in order; `errors` name each field.
    """
    before = signup.model_dump(mode="json", include=set(SHAPES), exclude_none=True)
    parts = {name: _merged(before[name], changes.get(name, {})) for name in SHAPES}
    errors = [*_missing(parts, signup), *_normalise(parts), *_misshapen(parts)]
    if not errors:
        errors += _not_for_sale(Package.model_validate(parts["package"]), catalogue)
    if errors:
        first = {error.field: error for error in reversed(errors)}
        raise Invalid(
            "correction_invalid",
            "The sign-up would not be in order; see the fields.",
            errors=list(reversed(first.values())),
        )
    return SignupAccepted.model_validate(signup.model_dump(mode="json") | parts)


def _merged(before: Any, change: Any) -> Any:
    """The value with a change in it, as JSON merge patches have it."""
    if not isinstance(change, Mapping):
        return _text(change)
    present = before if isinstance(before, Mapping) else {}
    merged = {**present, **{name: _merged(present.get(name), change[name]) for name in change}}
    return {name: value for name, value in merged.items() if value is not None}


def _text(value: Any) -> Any:
    """One line in Unicode's normal form with single blanks; None when nothing is left of it."""
    if not isinstance(value, str):
        return value
    return " ".join(unicodedata.normalize("NFC", value).split()) or None


def _missing(parts: Parts, signup: SignupAccepted) -> Iterator[FieldError]:
    needed = [*FILLED_IN, *(BY_ANOTHER if parts["payer"].get("kind") == "other" else ())]
    for field in needed:
        if not _at(parts, field):
            yield FieldError(field=field, code="missing", message="Fill in this field.")
    if signup.preferred_channel == "sms" and not _at(parts, "customer.mobile"):
        message = "The customer asked for text messages: give a mobile number."
        yield FieldError(field="customer.mobile", code="mobile_needed", message=message)


def _normalise(parts: Parts) -> Iterator[FieldError]:
    """Give each field that a rule is for its normal form; what a rule says against it."""
    for field, (rule, code) in RULES.items():
        *path, name = field.split(".")
        value = _at(parts, field)
        if not isinstance(value, str):
            continue
        try:
            _at(parts, ".".join(path))[name] = rule(value)
        except ValueError as refusal:
            yield FieldError(field=field, code=code, message=str(refusal)[:500])


def _misshapen(parts: Parts) -> Iterator[FieldError]:
    for name, shape in SHAPES.items():
        try:
            shape.model_validate(parts[name])
        except ValidationError as error:
            for fault in error.errors(include_input=False, include_url=False):
                field = ".".join([name, *(str(part) for part in fault["loc"])])
                yield FieldError(field=field, code=fault["type"][:80], message=fault["msg"][:500])


def _not_for_sale(package: Package, catalogue: Catalogue) -> Iterator[FieldError]:
    if package.code not in catalogue.package_codes:
        choices = f"Choose one of: {', '.join(catalogue.package_codes)}."
        yield FieldError(field="package.code", code="package_unknown", message=choices)
    for position, module in enumerate(package.modules):
        if module not in catalogue.module_codes:
            field = f"package.modules.{position}"
            choices = f"Choose from: {', '.join(catalogue.module_codes)}."
            yield FieldError(field=field, code="module_unknown", message=choices)


def _at(parts: Mapping[str, Any], field: str) -> Any:
    value: Any = parts
    for name in field.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _vat_id(value: str) -> str:
    """A VAT id that is no citizen number in disguise.

    Until 2020 a sole trader's was made of their citizen number; that one has no mod-97 check
    (Belastingdienst). The text never repeats it.
    """
    from stdnum.eu import vat
    from stdnum.exceptions import ValidationError as NotValid
    from stdnum.iso7064 import mod_97_10
    from stdnum.nl import bsn

    try:
        number = str(vat.validate(value))
    except NotValid:
        raise ValueError("this is not a VAT id") from None
    if number.startswith("NL") and bsn.is_valid(number[2:11]) and not mod_97_10.is_valid(number):
        raise ValueError("this is an old VAT id, made of a citizen number; leave it out")
    return number


RULES: Mapping[str, tuple[Callable[[str], str], str]] = {
    "customer.email": (contact.email_address, "email_invalid"),
    "customer.mobile": (contact.mobile_number, "mobile_invalid"),
    "customer.vat_id": (_vat_id, "vat_format"),
    "payer.email": (contact.email_address, "email_invalid"),
    "payer.iban": (iban.sepa_iban, "iban_invalid"),
}
"""The rule for a field, which gives its normal form, and the code of what it says against it."""
