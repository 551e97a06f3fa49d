"""The sign-up form: from what was typed to the very data that a website would send, and back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import ValidationError
from starlette.datastructures import FormData

from services.signup.form.validation import Checked, check
from services.signup.models import Office
from services.signup.pages.words import (
    BANK_UNKNOWN,
    CHOOSE,
    CHOSEN,
    FIELDS,
    TERMS_CHANGED,
    TERMS_NEEDED,
)
from shared.base.errors import FieldError
from shared.events.shapes import Language, Package
from shared.trade.catalogue import Catalogue, NotInCatalogue, Quote
from shared.trade.form import rules
from shared.trade.form.form import Wrong
from shared.trade.form.hints import likely_meant
from shared.trade.form.texts import text
from shared.trade.iban import bank_name
from shared.web.pages import PostedForm

LISTS = ("package.modules",)
"""Fields of which several may be chosen."""
ACCEPTED = ("terms.version", "terms.accepted_at")
"""Which terms were accepted and when: carried from the check of the answers to their sending."""
TERMS_BOX = "terms_accepted"
MAIL_FIELDS = ("customer.email", "payer.email")
NEIGHBOURS = ("NL", "BE", "DE")
"""Where nearly all customers are; the other countries follow by name."""


@dataclass(frozen=True)
class Answers:
    """What was filled in: as a website would send it, and what is wrong with it, by field."""

    data: Mapping[str, Any]
    checked: Checked
    errors: Sequence[FieldError]

    def carried(self, form: PostedForm) -> Iterator[tuple[str, str]]:
        """The fields that go along with the answers while they are checked."""
        for name in FIELDS:
            yield from ((name, value) for value in form.texts(name))
        terms = self.data["terms"]
        yield from zip(ACCEPTED, (terms["version"], terms["accepted_at"]), strict=True)


def read_answers(
    form: PostedForm, office: Office, catalogue: Catalogue, now: datetime, language: Language
) -> Answers:
    """Read the form by the very rules that hold for websites; their sentences in this language."""
    data = _data(form, office.code)
    if form.checked(TERMS_BOX) and not data["terms"]:
        data["terms"] = {"version": catalogue.terms.version, "accepted_at": now.isoformat()}
    checked = check(data, catalogue=catalogue, office=office, now=now, language=language)
    errors = [*page_errors(checked.errors, language)]
    if data["terms"].get("version") not in (None, catalogue.terms.version):
        errors.append(_error(TERMS_BOX, "terms_changed", TERMS_CHANGED.in_(language)))
    return Answers(data, checked, errors)


def page_errors(errors: Sequence[FieldError], language: str) -> Iterator[FieldError]:
    """What is wrong, by the fields that the page shows, each named once."""
    seen: set[str] = set()
    for error in errors:
        field, message = error.field, error.message
        if field.startswith("terms"):
            field, message = TERMS_BOX, TERMS_NEEDED.in_(language)
        elif field.startswith(LISTS):
            field = LISTS[0]
        elif field in CHOSEN and error.code == "missing":
            message = CHOOSE.in_(language)
        if field not in seen:
            seen.add(field)
            yield _error(field, error.code, message)


def with_meant(form: PostedForm, field: str | None) -> PostedForm:
    """The form with the address that was likely meant, where the person took that up."""
    meant = likely_meant(form.text(field) or "") if field in MAIL_FIELDS else None
    if field is None or meant is None:
        return form
    items = [item for item in form.data.multi_items() if item[0] != field]
    return PostedForm(FormData([*items, (field, meant)]), form.key)


def without_acceptance(form: PostedForm) -> PostedForm:
    """The form to be filled in further: the terms are accepted anew with what it says then."""
    items = [item for item in form.data.multi_items() if item[0] not in ACCEPTED]
    return PostedForm(FormData(items), form.key)


def is_being_checked(form: PostedForm) -> bool:
    """Whether it comes from the check of the answers."""
    return form.checked(ACCEPTED[1])


def quote_of(catalogue: Catalogue, code: str | None, modules: Sequence[str]) -> Quote | None:
    """What has been chosen so far and what it costs; None while that is nothing for sale."""
    try:
        return catalogue.price(Package(code=code or "", modules=tuple(modules)))
    except (NotInCatalogue, ValidationError):
        return None


def bank_words(iban: str | None, language: Language) -> tuple[str | None, str | None]:
    """The bank of an account as it was typed, or what to do where there is none."""
    if not iban:
        return None, None
    try:
        bank = bank_name(rules.iban(iban))
    except Wrong as wrong:
        return None, text(wrong.code, language, **wrong.values)
    return bank, None if bank else BANK_UNKNOWN.in_(language)


@cache
def countries(language: Language) -> Sequence[tuple[str, str]]:
    """The codes of all countries with their names, the nearest first."""
    # They take long to load, and a start needs none of them.
    import pycountry
    from babel import Locale

    names = Locale(language).territories
    codes = [country.alpha_2 for country in pycountry.countries]
    named = sorted(((code, names.get(code, code)) for code in codes), key=lambda pair: pair[1])
    near = [(code, names[code]) for code in NEIGHBOURS]
    return [*near, *(pair for pair in named if pair[0] not in NEIGHBOURS)]


def _data(form: PostedForm, office_code: str) -> dict[str, Any]:
    """The fields of the form as a website would send them, and nothing else that was posted."""
    ours = (*(name for name in FIELDS if name != TERMS_BOX), *ACCEPTED)
    fields = FormData([item for item in form.data.multi_items() if item[0] in ours])
    typed = PostedForm(fields, form.key).nested(LISTS)
    customer = {"address": {}, "contact": {}, **typed.get("customer", {})}
    payer = typed.get("payer", {})
    asked = _asked_of_payer(payer.get("kind"))
    return {
        "office_code": office_code,
        "customer": customer,
        "package": typed.get("package", {}),
        "payer": {name: value for name, value in payer.items() if name in asked},
        "terms": typed.get("terms", {}),
        **{name: typed[name] for name in ("preferred_channel", "remarks") if name in typed},
    }


def _asked_of_payer(kind: str | None) -> tuple[str, ...]:
    """What is asked of this payer; what was typed before another was chosen does not count."""
    account = ("kind", "iban", "account_holder")
    return {"office": ("kind",), "other": (*account, "name", "email")}.get(kind or "", account)


def _error(field: str, code: str, message: str) -> FieldError:
    return FieldError(field=field, code=code, message=message)
