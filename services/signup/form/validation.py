"""Is a sign-up in order? Every field is looked at in one pass, and all errors are told at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, cast, get_args

from shared.base.errors import FieldError
from shared.events import SignupSubmitted
from shared.events.shapes import Channel, Language, Package, Payer, Terms, Warning
from shared.trade.form import rules
from shared.trade.form.fields import Offer, read_customer, read_package, read_payer
from shared.trade.form.form import Form, Wrong
from shared.trade.form.hints import likely_meant
from shared.trade.form.warnings import warning_text
from shared.trade.text import holds_link

PaysForCustomers = Literal["no", "review", "yes"]
"""Whether an office pays for its customers: never, when a person has looked, or unseen."""

LINK = "link_in_text"
"""The warning that a text holds a link: a stranger may have written it for another stranger."""


class OfficeTerms(Protocol):
    """What validation asks of an office."""

    language: str

    @property
    def how_it_pays(self) -> str:
        """Whether it pays for its customers: no, review or yes."""


@dataclass(frozen=True)
class Checked:
    """The outcome: a sign-up in normal form, or what is wrong with it.

    `reply_to` is the customer's address when that much is right, so that they can be told;
    `company` their name and `office_code` the office's, where these are plain text.
    """

    submitted: SignupSubmitted | None
    errors: tuple[FieldError, ...]
    warnings: tuple[Warning, ...]
    language: Language
    reply_to: str | None
    office_code: str | None
    company: str | None


def check(
    data: Mapping[str, Any],
    *,
    catalogue: Offer,
    office: OfficeTerms | None,
    now: datetime,
    language: Language | None = None,
) -> Checked:
    """Check and normalise the data of `signup.submitted.v1`, whatever a website put there.

    What is wrong is told in `language`, in the customer's where none is given.
    """
    form = Form(data, language or _language(data))
    code = form.line("office_code", limit=35)
    if code is not None and office is None:
        form.wrong("office_code", "office_unknown")
    customer, reply_to = read_customer(form)
    package = read_package(form, catalogue)
    payer = _payer(form, office)
    channel = form.choice("preferred_channel", get_args(Channel))
    if channel == "sms" and form.number("customer.mobile", limit=40) is None:
        form.wrong("customer.mobile", "mobile_needed")
    terms = _terms(form, now)
    remarks = form.lines("remarks", limit=2000)
    submitted: SignupSubmitted | None = None
    warnings: tuple[Warning, ...] = ()
    if not form.errors and office is not None and customer is not None:
        submitted = SignupSubmitted(
            office_code=code or "",
            customer=customer,
            package=cast(Package, package),
            payer=cast(Payer, payer),
            preferred_channel=cast(Channel, channel),
            terms=cast(Terms, terms),
            remarks=remarks,
        )
        warnings = tuple(_warnings(submitted, office))
    company = form.line("customer.company", required=False)
    return Checked(submitted, form.errors, warnings, form.language, reply_to, code, company)


def _language(data: Mapping[str, Any]) -> Language:
    customer = data.get("customer")
    tag = customer.get("language") if isinstance(customer, Mapping) else None
    # However it is written (RFC 5646), as the form itself reads it.
    is_english = isinstance(tag, str) and tag.strip().lower().partition("-")[0] == "en"
    return "en" if is_english else "nl"


def _payer(form: Form, office: OfficeTerms | None) -> Payer | None:
    payer = read_payer(form)
    kind = form.number("payer.kind", limit=40)
    if kind == "office" and office is not None and office.how_it_pays == "no":
        form.wrong("payer.kind", "office_does_not_pay")
        return None
    return payer


def _terms(form: Form, now: datetime) -> Terms | None:
    form.part("terms")
    # Which terms they are the website says, not a person: no citizen number is looked for there.
    version = form.number("terms.version", required=True)
    written = form.number("terms.accepted_at", required=True, limit=40)
    if version is None or written is None:
        return None
    try:
        return Terms(version=version, accepted_at=rules.accepted_at(written, now))
    except Wrong as wrong:
        form.wrong("terms.accepted_at", wrong.code)
        return None


def _warnings(submitted: SignupSubmitted, office: OfficeTerms) -> list[Warning]:
    language: Language = "en" if office.language == "en" else "nl"
    warnings: list[Warning] = []

    def warn(code: str, *, needs_review: bool = False, **values: object) -> None:
        text = warning_text(code, language, **values)
        warnings.append(Warning(code=code, text=text, needs_review=needs_review))

    meant = likely_meant(submitted.customer.email)
    if meant is not None:
        warn("email_typo", suggestion=meant)
    if submitted.payer.iban is not None and not rules.bank_is_known(submitted.payer.iban):
        warn("iban_bank_unknown")
    if submitted.customer.kvk is None and submitted.customer.address.country == "NL":
        warn("kvk_missing")
    if submitted.payer.kind == "office" and office.how_it_pays != "yes":
        warn("payer_office", needs_review=True)
    if any(holds_link(text) for text in _texts(submitted)):
        warn(LINK, needs_review=True)
    return warnings


def _texts(submitted: SignupSubmitted) -> Iterator[str]:
    """What a person wrote in their own words."""
    customer, payer = submitted.customer, submitted.payer
    address = customer.address
    yield from (customer.company, customer.contact.full_name)
    yield from (address.street, address.number, address.postcode, address.city)
    yield from (text for text in (payer.name, payer.account_holder, submitted.remarks) if text)
