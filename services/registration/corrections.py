"""What the office may correct of a sign-up, and by which rules: those of the sign-up itself."""

from collections.abc import Mapping
from typing import Any

from shared.base.errors import Invalid
from shared.events import SignupAccepted
from shared.events.shapes import Language
from shared.trade.catalogue import Catalogue
from shared.trade.form.fields import read_customer, read_package, read_payer
from shared.trade.form.form import Form

PARTS = ("customer", "package", "payer")


def corrected(
    signup: SignupAccepted,
    changes: Mapping[str, Mapping[str, Any]],
    catalogue: Catalogue,
    language: Language = "nl",
) -> SignupAccepted:
    """The sign-up with these changes in its customer, package and payer, in normal form.

    A part is changed as far as it is named; a field that is null is taken away (RFC 7396). Where
    another is to pay, nothing stays of who was to pay before: their account is nobody else's.
    `language` is that of whoever reads what is wrong.

    Raises:
        Invalid: what it would become is not in order; `errors` name each field.
    """
    before = signup.model_dump(mode="json", include=set(PARTS), exclude_none=True)
    if changes.get("payer", {}).get("kind", signup.payer.kind) != signup.payer.kind:
        before["payer"] = {}
    form = Form({name: _merged(before[name], changes.get(name, {})) for name in PARTS}, language)
    customer, _ = read_customer(form)
    package, payer = read_package(form, catalogue), read_payer(form)
    if customer and signup.preferred_channel == "sms" and customer.mobile is None:
        form.wrong("customer.mobile", "mobile_needed")
    if form.errors or customer is None or package is None or payer is None:
        message = "The sign-up would not be in order; see the fields."
        raise Invalid("correction_invalid", message, errors=form.errors)
    return signup.model_copy(update={"customer": customer, "package": package, "payer": payer})


def _merged(before: Any, change: Any) -> Any:
    """The value with a change in it, as JSON merge patches have it."""
    if not isinstance(change, Mapping):
        return change
    present = before if isinstance(before, Mapping) else {}
    merged = {**present, **{name: _merged(present.get(name), change[name]) for name in change}}
    return {name: value for name, value in merged.items() if value is not None}
