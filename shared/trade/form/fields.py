"""The parts of a form that describe a customer, a package and a payer, by the trade's rules.

Each gives its part in normal form, or None when something is wrong with the form: what it is was
noted on the form.
"""

from collections.abc import Collection
from typing import Protocol, cast, get_args

from shared.events.shapes import (
    Address,
    Contact,
    Customer,
    Language,
    LegalForm,
    Package,
    Payer,
    PayerKind,
)
from shared.trade.form import rules
from shared.trade.form.form import Form, Wrong, number_of

MAX_MODULES = 20


class Offer(Protocol):
    """What is asked of the catalogue."""

    @property
    def package_codes(self) -> Collection[str]:
        """The packages there are."""

    @property
    def module_codes(self) -> Collection[str]:
        """The modules there are."""


def read_customer(form: Form) -> tuple[Customer | None, str | None]:
    """The customer, and the address by which they can be told what is wrong, if that is right."""
    form.part("customer")
    legal_form = form.number("customer.legal_form", limit=40)
    if legal_form is not None:
        legal_form = form.choice("customer.legal_form", get_args(LegalForm), default="other")

    def vat_rule(value: str) -> str:
        return rules.vat_id(value, legal_form=legal_form)

    values = {
        "company": form.line("customer.company"),
        "legal_form": legal_form,
        "kvk": form.number("customer.kvk", rules.kvk),
        "vat_id": form.number("customer.vat_id", vat_rule),
        "address": _address(form),
        "contact": _contact(form),
        "email": form.checked("customer.email", rules.email),
        "mobile": form.number("customer.mobile", rules.mobile, limit=40),
        "language": form.choice("customer.language", get_args(Language), default="nl", tag=True),
    }
    customer = None if form.errors else Customer.model_validate(values)
    return customer, cast("str | None", values["email"])


def _address(form: Form) -> Address | None:
    field = "customer.address"
    country: str | None = "NL"
    if form.number(f"{field}.country") is not None:
        country = form.number(f"{field}.country", rules.country)
    if country == "NL":
        postcode = form.number(f"{field}.postcode", rules.dutch_postcode, required=True, limit=12)
    else:
        postcode = form.line(f"{field}.postcode", limit=12)
    street = form.line(f"{field}.street")
    number = form.line(f"{field}.number", limit=20)
    city = form.line(f"{field}.city")
    if not (street and number and postcode and city and country):
        if not form.errors:
            form.wrong(field, "missing")
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


def read_package(form: Form, catalogue: Offer) -> Package | None:
    """The package and its modules, each of which is for sale."""
    modules = form.part("package").get("modules") or []
    code = form.number("package.code", required=True, limit=35)
    if code is not None and code not in catalogue.package_codes:
        form.wrong("package.code", "package_unknown", choices=", ".join(catalogue.package_codes))
    if not isinstance(modules, list):
        form.wrong("package.modules", "not_list")
        return None
    if len(modules) > MAX_MODULES:
        form.wrong("package.modules", "too_many", limit=MAX_MODULES)
        return None
    wanted = [_module(form, position, each, catalogue) for position, each in enumerate(modules)]
    if form.errors or code is None:
        return None
    # A module that was ticked twice is wanted once.
    return Package(code=code, modules=tuple(dict.fromkeys(wanted)))


def _module(form: Form, position: int, value: object, catalogue: Offer) -> str:
    try:
        module = number_of(value, 35)
    except Wrong:
        module = None
    if module is None or module not in catalogue.module_codes:
        field = f"package.modules.{position}"
        form.wrong(field, "module_unknown", choices=", ".join(catalogue.module_codes))
    return module or ""


def read_payer(form: Form) -> Payer | None:
    """Who pays; somebody else than customer and office must be reachable."""
    form.part("payer")
    kind = form.choice("payer.kind", get_args(PayerKind))
    somebody_else = kind == "other"
    name = form.line("payer.name", required=somebody_else)
    email = form.checked("payer.email", rules.email, required=somebody_else)
    iban = form.number("payer.iban", rules.iban, limit=50)
    holder = form.line("payer.account_holder", required=False)
    if form.errors or kind is None:
        return None
    return Payer(
        kind=cast(PayerKind, kind), name=name, email=email, iban=iban, account_holder=holder
    )
