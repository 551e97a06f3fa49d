"""Is a sign-up in order? Every field is looked at in one pass, and all errors are told at once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, cast, get_args

from services.signup.form import rules
from services.signup.form.form import Form, Wrong
from services.signup.form.texts import warning_text
from shared.base.errors import FieldError
from shared.events import SignupSubmitted
from shared.events.shapes import (
    Address,
    Channel,
    Contact,
    Customer,
    Language,
    LegalForm,
    Package,
    Payer,
    PayerKind,
    Terms,
    Warning,
)

MAX_MODULES = 20


class OfficeTerms(Protocol):
    """What validation asks of an office."""

    pays_for_customers: bool
    language: str


class Offer(Protocol):
    """What validation asks of the catalogue."""

    @property
    def package_codes(self) -> Collection[str]:
        """The packages there are."""

    @property
    def module_codes(self) -> Collection[str]:
        """The modules there are."""


@dataclass(frozen=True)
class Checked:
    """The outcome: a sign-up in normal form, or what is wrong with it.

    `reply_to` is the customer's address when that much is right, so that they can be told.
    """

    submitted: SignupSubmitted | None
    errors: tuple[FieldError, ...]
    warnings: tuple[Warning, ...]
    language: Language
    reply_to: str | None


def check(
    data: Mapping[str, Any], *, catalogue: Offer, office: OfficeTerms | None, now: datetime
) -> Checked:
    """Check and normalise the data of `signup.submitted.v1`, whatever a website put there."""
    form = Form(data, _language(data))
    if form.line("office_code", limit=35) is not None and office is None:
        form.wrong("office_code", "office_unknown")
    customer = _customer(form)
    package = _package(form, catalogue)
    payer = _payer(form)
    channel = form.choice("preferred_channel", get_args(Channel))
    if channel == "sms" and form.line("customer.mobile", required=False, limit=40) is None:
        form.wrong("customer.mobile", "mobile_needed")
    terms = _terms(form, now)
    remarks = _remarks(form, data.get("remarks"))
    reply_to = customer.get("email")
    if form.errors or office is None:
        return Checked(None, form.errors, (), form.language, reply_to)
    submitted = SignupSubmitted(
        office_code=str(data["office_code"]).strip(),
        customer=Customer.model_validate(customer),
        package=cast(Package, package),
        payer=cast(Payer, payer),
        preferred_channel=cast(Channel, channel),
        terms=cast(Terms, terms),
        remarks=remarks,
    )
    warnings = tuple(_warnings(submitted, office))
    return Checked(submitted, (), warnings, form.language, reply_to)


def _language(data: Mapping[str, Any]) -> Language:
    customer = data.get("customer")
    language = customer.get("language") if isinstance(customer, Mapping) else None
    return "en" if language == "en" else "nl"


def _customer(form: Form) -> dict[str, Any]:
    form.part("customer")
    legal_form = form.line("customer.legal_form", required=False, limit=40)
    if legal_form is not None:
        legal_form = form.choice("customer.legal_form", get_args(LegalForm), default="other")

    def vat_rule(value: str) -> str:
        return rules.vat_id(value, sole_trader=legal_form == "eenmanszaak")

    return {
        "company": form.line("customer.company"),
        "legal_form": legal_form,
        "kvk": form.checked("customer.kvk", rules.kvk, required=False),
        "vat_id": form.checked("customer.vat_id", vat_rule, required=False),
        "address": _address(form),
        "contact": _contact(form),
        "email": form.checked("customer.email", rules.email),
        "mobile": form.checked("customer.mobile", rules.mobile, required=False, limit=40),
        "language": form.choice("customer.language", get_args(Language), default="nl"),
    }


def _address(form: Form) -> Address | None:
    if form.line("customer.address.country", required=False) is None:
        country: str | None = "NL"
    else:
        country = form.checked("customer.address.country", rules.country)
    if country == "NL":
        postcode = form.checked("customer.address.postcode", rules.dutch_postcode, limit=12)
    else:
        postcode = form.line("customer.address.postcode", limit=12)
    street = form.line("customer.address.street")
    number = form.line("customer.address.number", limit=20)
    city = form.line("customer.address.city")
    if not (street and number and postcode and city and country):
        if not form.errors:
            form.wrong("customer.address", "missing")
        return None
    return Address(street=street, number=number, postcode=postcode, city=city, country=country)


def _contact(form: Form) -> Contact | None:
    first = form.line("customer.contact.first_name")
    infix = form.line("customer.contact.infix", required=False)
    last = form.line("customer.contact.last_name")
    if not (first and last):
        if not form.errors:
            form.wrong("customer.contact", "missing")
        return None
    return Contact(first_name=first, infix=infix, last_name=last)


def _package(form: Form, catalogue: Offer) -> Package | None:
    part = form.part("package")
    code = form.line("package.code", limit=35)
    if code is not None and code not in catalogue.package_codes:
        form.wrong("package.code", "package_unknown", choices=", ".join(catalogue.package_codes))
    modules = part.get("modules") or []
    if not isinstance(modules, list) or len(modules) > MAX_MODULES:
        form.wrong("package.modules", "not_list")
        return None
    for position, module in enumerate(modules):
        if not isinstance(module, str) or module not in catalogue.module_codes:
            field = f"package.modules.{position}"
            form.wrong(field, "module_unknown", choices=", ".join(catalogue.module_codes))
    if form.errors or code is None:
        return None
    # A module that was ticked twice is wanted once.
    return Package(code=code, modules=tuple(dict.fromkeys(modules)))


def _payer(form: Form) -> Payer | None:
    form.part("payer")
    kind = form.choice("payer.kind", get_args(PayerKind))
    somebody_else = kind == "other"
    name = form.line("payer.name", required=somebody_else)
    email = form.checked("payer.email", rules.email, required=somebody_else)
    iban = form.checked("payer.iban", rules.iban, required=False, limit=50)
    holder = form.line("payer.account_holder", required=False)
    if form.errors or kind is None:
        return None
    return Payer(
        kind=cast(PayerKind, kind), name=name, email=email, iban=iban, account_holder=holder
    )


def _terms(form: Form, now: datetime) -> Terms | None:
    form.part("terms")
    version = form.line("terms.version")
    written = form.line("terms.accepted_at", limit=40)
    if version is None or written is None:
        return None
    try:
        return Terms(version=version, accepted_at=rules.accepted_at(written, now))
    except Wrong as wrong:
        form.wrong("terms.accepted_at", wrong.code)
        return None


def _remarks(form: Form, value: Any) -> str | None:
    """Remarks may have several lines; each is read as one."""
    if value is None:
        return None
    if not isinstance(value, str):
        form.wrong("remarks", "not_text")
        return None
    if len(value) > 2000:
        form.wrong("remarks", "too_long", limit=2000)
        return None
    lines = Form({"remarks": " ".join(value.split())}, form.language)
    remarks = lines.checked("remarks", rules.no_citizen_number, required=False, limit=2000)
    for error in lines.errors:
        form.note(error)
    return remarks


def _warnings(submitted: SignupSubmitted, office: OfficeTerms) -> list[Warning]:
    language: Language = "en" if office.language == "en" else "nl"
    warnings: list[Warning] = []

    def warn(code: str, *, needs_review: bool = False, **values: object) -> None:
        text = warning_text(code, language, **values)
        warnings.append(Warning(code=code, text=text, needs_review=needs_review))

    meant = rules.likely_meant(submitted.customer.email)
    if meant is not None:
        warn("email_typo", suggestion=meant)
    if submitted.payer.iban is not None and not rules.bank_is_known(submitted.payer.iban):
        warn("iban_bank_unknown")
    if submitted.customer.kvk is None and submitted.customer.address.country == "NL":
        warn("kvk_missing")
    if submitted.payer.kind == "office" and not office.pays_for_customers:
        warn("payer_office_not_allowed", needs_review=True)
    return warnings
