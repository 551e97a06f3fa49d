"""What signup does upon each event and command."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.signup.commands import PutOffice, Withdraw
from services.signup.form.validation import Checked, check
from services.signup.mails import confirmations, incomplete, withdrawal
from services.signup.models import Office, Signup, company_key
from shared.base.errors import NotFound, Reject
from shared.events import (
    CustomerActivated,
    CustomerLoggedIn,
    OnboardingWithdrawn,
    RegistrationDeclined,
    SignupAccepted,
    SignupRejected,
    SignupSubmitted,
)
from shared.events.envelope import Envelope
from shared.events.shapes import Warning
from shared.host.settings import Settings
from shared.processing import (
    Effect,
    Entities,
    Load,
    Loaded,
    Message,
    Now,
    Numbers,
    RawEvent,
    by_subject,
    on,
)
from shared.trade.catalogue import Catalogue

SERIES = "signup"

DUPLICATE = {
    "nl": "Er loopt al een inschrijving van dit bedrijf voor dit pakket: {references}.",
    "en": "A sign-up of this company for this package is already under way: {references}.",
}


def accept_signup(
    event: RawEvent,
    envelope: Envelope,
    signups: Loaded[Signup],
    offices: Loaded[Office],
    catalogue: Catalogue,
    settings: Settings,
    numbers: Numbers,
    now: Now,
) -> Sequence[Effect]:
    """Accept or reject what a customer filled in, and tell them and their office."""
    signup = _signup(signups, envelope)
    if signup.digest == envelope.digest():
        return []  # The website said it twice.
    if signup.contents_are_final:
        raise Reject("this onboarding id already belongs to a sign-up with other contents")
    office = offices.get(_text(event.data, "office_code"))
    if office is not None:
        _require_own_website(office, envelope)
    _require_same_office(signup, office)
    checked = check(event.data, catalogue=catalogue, office=office, now=now)
    if checked.submitted is None or office is None:
        signup.reject(envelope.digest(), now, office.code if office else None)
        return [_rejection(checked, event.data), *incomplete(checked)]
    accepted = SignupAccepted(
        reference=f"S-{now.year}-{numbers.take(SERIES):06d}",
        office=office.public(),
        customer=checked.submitted.customer,
        package=checked.submitted.package,
        payer=checked.submitted.payer,
        preferred_channel=checked.submitted.preferred_channel,
        warnings=(*checked.warnings, *_duplicates(checked.submitted, office, signups)),
    )
    signup.accept(accepted, envelope.digest(), now)
    remarks = checked.submitted.remarks
    return [accepted, *confirmations(accepted, catalogue, settings.base_url, signup, remarks)]


def record_decline(
    _event: RegistrationDeclined, envelope: Envelope, signups: Loaded[Signup]
) -> Sequence[Effect]:
    """Record that the office said no: the package is open no longer."""
    _signup(signups, envelope).decline()
    return []


def record_activation(
    _event: CustomerActivated, envelope: Envelope, signups: Loaded[Signup]
) -> Sequence[Effect]:
    """Record when the first credentials left."""
    signup = _signup(signups, envelope)
    signup.activated_at = min(signup.activated_at or envelope.time, envelope.time)
    return []


def record_login(
    event: CustomerLoggedIn, envelope: Envelope, signups: Loaded[Signup]
) -> Sequence[Effect]:
    """Record that the customer works with the package."""
    _signup(signups, envelope).record_login(event.first_login_at)
    return []


def withdraw(command: Withdraw, envelope: Envelope, signups: Loaded[Signup]) -> Sequence[Effect]:
    """Stop the onboarding, and tell customer and office."""
    signup = signups.get(envelope.subject)
    if signup is None or not signup.contents_are_final:
        raise NotFound("not_found", "There is no onboarding by that id.")
    signup.withdraw(command.by)
    event = OnboardingWithdrawn(reason=command.reason, by=command.by)
    return [event, *withdrawal(signup.acceptance())]


def put_office(command: PutOffice, offices: Loaded[Office]) -> Sequence[Effect]:
    """Add or change an office."""
    office = offices.get(command.code)
    if office is None:
        offices.add(Office(**command.model_dump()))
    else:
        for name, value in command.model_dump(exclude={"code"}).items():
            setattr(office, name, value)
    return []


def _require_own_website(office: Office, envelope: Envelope) -> None:
    """Refuse a sign-up that comes from another website than the office's.

    With STRICT_PUBLISHERS the broker vouches for it; without, this catches a mistake.

    Raises:
        Reject: it comes from elsewhere.
    """
    if envelope.source != f"/website/{office.code}":
        raise Reject(
            f"a sign-up for office {office.code} must come from /website/{office.code}, "
            f"not from {envelope.source[:80]}"
        )


def _require_same_office(signup: Signup, office: Office | None) -> None:
    """Refuse to put another office's sign-up in the place of one that was rejected.

    Raises:
        Reject: it was another's.
    """
    if signup.office_code is not None and (office is None or signup.office_code != office.code):
        raise Reject("this onboarding id already belongs to a sign-up of another office")


def _rejection(checked: Checked, data: Mapping[str, Any]) -> SignupRejected:
    customer = data.get("customer")
    company = _text(customer, "company") if isinstance(customer, Mapping) else ""
    return SignupRejected(
        office_code=_text(data, "office_code")[:35] or None,
        company=company[:200] or None,
        errors=checked.errors,
    )


def _duplicates(
    submitted: SignupSubmitted, office: Office, signups: Loaded[Signup]
) -> list[Warning]:
    """A warning when one of the same office and package is still open.

    It is the same company when the KvK number is, or name and e-mail address are.
    """
    customer = submitted.customer
    key = company_key(customer.company, customer.email)
    alike = sorted(
        signup.reference or ""
        for signup in signups
        if signup.open
        and (signup.office_code, signup.package_code) == (office.code, submitted.package.code)
        and ((customer.kvk and signup.kvk == customer.kvk) or signup.company_key == key)
    )
    if not alike:
        return []
    language = "en" if office.language == "en" else "nl"
    text = DUPLICATE[language].format(references=", ".join(alike[:5]))
    return [Warning(code="likely_duplicate", text=text, needs_review=True)]


def _signup(signups: Loaded[Signup], envelope: Envelope) -> Signup:
    """The sign-up, added when another fact about it is heard first."""
    return signups.get(envelope.subject) or signups.add(Signup(onboarding_id=envelope.subject))


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    clean = value if isinstance(value, str) else ""
    return "".join(character for character in clean if character.isprintable()).strip()


def _customer(message: Message) -> Mapping[str, Any]:
    content = message.content
    customer = content.data.get("customer") if isinstance(content, RawEvent) else None
    return customer if isinstance(customer, Mapping) else {}


def _office(message: Message, _entities: Entities) -> str | None:
    content = message.content
    if isinstance(content, PutOffice):
        return content.code
    return (_text(content.data, "office_code") or None) if isinstance(content, RawEvent) else None


def _kvk(message: Message, _entities: Entities) -> str | None:
    # As the rule for the field reads it: people write blanks and points between the digits.
    return _text(_customer(message), "kvk").replace(" ", "").replace(".", "") or None


def _company(message: Message, _entities: Entities) -> str:
    customer = _customer(message)
    return company_key(_text(customer, "company"), _text(customer, "email"))


SIGNUP = by_subject(Signup)
OFFICE = Load(Office, "code", _office)
"""Locked: two sign-ups of one company at the same moment must see one another as duplicates."""
SAME_KVK = Load(Signup, "kvk", _kvk, lock=False)
SAME_COMPANY = Load(Signup, "company_key", _company, lock=False)

SUBSCRIPTIONS = [
    on(SignupSubmitted, accept_signup, loads=[SIGNUP, OFFICE, SAME_KVK, SAME_COMPANY], raw=True),
    on(RegistrationDeclined, record_decline, loads=[SIGNUP]),
    on(CustomerActivated, record_activation, loads=[SIGNUP]),
    on(CustomerLoggedIn, record_login, loads=[SIGNUP]),
    on(Withdraw, withdraw, loads=[SIGNUP]),
    on(PutOffice, put_office, loads=[OFFICE]),
]
