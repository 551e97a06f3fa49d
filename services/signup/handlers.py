"""What signup does upon each event and command."""

from collections.abc import Sequence

import structlog

from services.signup.answers import Accepted
from services.signup.commands import PutOffice, SendWithdrawLink, Withdraw
from services.signup.form.validation import Checked, check
from services.signup.loads import ALIKE, COUNTS, OFFICE, SIGNUP, office_code_of
from services.signup.mails import (
    TOO_MANY,
    confirmations,
    declined,
    incomplete,
    withdraw_link,
    withdrawal,
)
from services.signup.models import (
    Office,
    Signup,
    SignupCount,
    company_key,
    office_key,
    recipient_key,
)
from shared.base.errors import Conflict, KeyReused, NotFound, Reject
from shared.events import (
    CustomerActivated,
    CustomerContactChanged,
    CustomerLoggedIn,
    OnboardingWithdrawn,
    RegistrationCompleted,
    RegistrationDeclined,
    SignupAccepted,
    SignupRejected,
    SignupSubmitted,
)
from shared.events.envelope import Envelope
from shared.events.shapes import Language, Warning
from shared.host.settings import Settings
from shared.processing import Effect, Loaded, Now, Numbers, Person, RawEvent, on
from shared.trade.calendar import business_year
from shared.trade.catalogue import Catalogue
from shared.trade.form.warnings import warning_text

log = structlog.get_logger()

SERIES = "signup"


def accept_signup(
    event: RawEvent,
    envelope: Envelope,
    signups: Loaded[Signup],
    offices: Loaded[Office],
    counts: Loaded[SignupCount],
    catalogue: Catalogue,
    settings: Settings,
    numbers: Numbers,
    person: Person | None,
    now: Now,
) -> Sequence[Effect]:
    """Accept or reject what a customer filled in, and tell them and their office.

    Who sent it over HTTP has the answer in hand, and is not mailed what is wrong.
    """
    signup = _signup(signups, envelope)
    if signup.digest == envelope.digest():
        return []  # The website said it twice.
    office = offices.get(office_code_of(event.data))
    checked = check(event.data, catalogue=catalogue, office=office, now=now)
    if (refusal := _refusal(signup, office, checked, envelope)) is not None:
        return _refuse(refusal, checked, signup, person)
    if checked.submitted is None or office is None:
        signup.reject(office.code if office else None, envelope.digest(), now)
        silent = person is not None or _are_too_many(checked, office, counts, settings, now)
        return [_rejection(checked), *([] if silent else incomplete(checked, office))]
    warnings = [*checked.warnings, *_duplicates(checked.submitted, office, signups)]
    if _are_too_many(checked, office, counts, settings, now):
        warnings.append(_warning(TOO_MANY, office))
    accepted = SignupAccepted(
        reference=f"S-{business_year(now)}-{numbers.take(SERIES):06d}",
        office=office.public(),
        customer=checked.submitted.customer,
        package=checked.submitted.package,
        payer=checked.submitted.payer,
        preferred_channel=checked.submitted.preferred_channel,
        warnings=tuple(warnings),
    )
    signup.accept(accepted, envelope.digest(), now)
    mails = confirmations(accepted, catalogue, signup, checked.submitted.remarks)
    answers = [Accepted(accepted.reference, now)] if person is not None else []
    return [accepted, *mails, *answers]


def record_registration(
    event: RegistrationCompleted, envelope: Envelope, signups: Loaded[Signup]
) -> Sequence[Effect]:
    """Take the data as the office has registered them, corrected or not."""
    _signup(signups, envelope).register(event)
    return []


def record_contact(
    event: CustomerContactChanged, envelope: Envelope, signups: Loaded[Signup]
) -> Sequence[Effect]:
    """Take where the customer is reached from now on."""
    order = (envelope.time.isoformat(), envelope.id)
    _signup(signups, envelope).change_contact(event, order)
    return []


def record_decline(
    event: RegistrationDeclined, envelope: Envelope, signups: Loaded[Signup]
) -> Sequence[Effect]:
    """Record that the office said no, and tell the customer."""
    signup = _signup(signups, envelope)
    if signup.decline() and signup.accepted is not None:
        return declined(signup, event.reason)
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


def withdraw(
    command: Withdraw, envelope: Envelope, signups: Loaded[Signup], now: Now
) -> Sequence[Effect]:
    """Stop the onboarding, and tell customer and office."""
    signup = signups.get(envelope.subject)
    if signup is None or not signup.contents_are_final:
        raise NotFound("not_found", "There is no onboarding by that id.")
    signup.withdraw(command.by, now)
    event = OnboardingWithdrawn(reason=command.reason, by=command.by)
    return [event, *withdrawal(signup)]


def send_withdraw_link(
    _command: SendWithdrawLink, envelope: Envelope, signups: Loaded[Signup], now: Now
) -> Sequence[Effect]:
    """Send the customer a new link, to the address that is known: at most one in ten minutes.

    Whoever asks hears the same whether one was sent or not.
    """
    signup = signups.get(envelope.subject)
    if signup is None or not signup.take_request_for_link(now):
        return []
    return withdraw_link(signup)


def put_office(command: PutOffice, offices: Loaded[Office]) -> Sequence[Effect]:
    """Add or change an office.

    Raises:
        Conflict: it was to be a new one, and there is one by that code.
    """
    office = offices.get(command.code)
    values = command.model_dump(mode="json", exclude={"is_new"})
    if office is not None and command.is_new:
        raise Conflict("office_exists", "There is an office by that code already.")
    if office is None:
        offices.add(Office.of(**values))
    else:
        office.change(**values)
    return []


def _refusal(
    signup: Signup, office: Office | None, checked: Checked, envelope: Envelope
) -> str | None:
    """Why this sign-up cannot be taken under its id, or from its website; None when it can.

    With STRICT_PUBLISHERS the broker vouches for the website; without, this catches a mistake.
    """
    if signup.contents_are_final:
        return "this onboarding id already belongs to a sign-up with other contents"
    if office is not None and envelope.source != f"/website/{office.code}":
        return (
            f"a sign-up for office {office.code} must come from /website/{office.code}, "
            f"not from {envelope.source[:80]}"
        )
    if signup.belongs_to_another(checked.office_code or ""):
        return "this onboarding id already belongs to another office"
    return None


def _refuse(
    refusal: str, checked: Checked, signup: Signup, person: Person | None
) -> Sequence[Effect]:
    """Have a sign-up refused, or forgotten where it holds a citizen number.

    What is refused is kept whole until a person decides, and a citizen number is kept nowhere.

    Raises:
        KeyReused: it came over HTTP, where the id of what was accepted follows from its key.
        Reject: it is refused.
    """
    if person is not None and signup.contents_are_final:
        raise KeyReused
    if any("citizen_number" in error.code for error in checked.errors):
        log.warning("signup_with_citizen_number_dropped")
        return []
    raise Reject(refusal)


def _are_too_many(
    checked: Checked,
    office: Office | None,
    counts: Loaded[SignupCount],
    settings: Settings,
    now: Now,
) -> bool:
    """Count a sign-up for its office and its recipients; whether one has more than its hour's."""
    submitted = checked.submitted
    addresses = {checked.reply_to, submitted.payer.email if submitted else None} - {None}
    limits = {
        recipient_key(address or ""): settings.signups_per_address_hour for address in addresses
    }
    limits[office_key(office.code if office else "")] = settings.signups_per_office_hour
    numbers = []
    for key, limit in limits.items():
        row = counts.get(key) or counts.add(SignupCount(key=key, began_at=now))
        numbers.append((row.count(now), limit))
    return any(number > limit for number, limit in numbers)


def _rejection(checked: Checked) -> SignupRejected:
    return SignupRejected(
        office_code=checked.office_code, company=checked.company, errors=checked.errors
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
    references = ", ".join(alike[:5])
    return [_warning("likely_duplicate", office, references=references)] if alike else []


def _warning(code: str, office: Office, **values: object) -> Warning:
    """Something that the office must look at."""
    language: Language = "en" if office.language == "en" else "nl"
    return Warning(code=code, text=warning_text(code, language, **values), needs_review=True)


def _signup(signups: Loaded[Signup], envelope: Envelope) -> Signup:
    """The sign-up, added when another fact about it is heard first."""
    return signups.get(envelope.subject) or signups.add(Signup(onboarding_id=envelope.subject))


SIGNUP_LOADS = [SIGNUP, OFFICE, ALIKE, COUNTS]

SUBSCRIPTIONS = [
    on(SignupSubmitted, accept_signup, loads=SIGNUP_LOADS, raw=True),
    on(RegistrationCompleted, record_registration, loads=[SIGNUP]),
    on(RegistrationDeclined, record_decline, loads=[SIGNUP]),
    on(CustomerActivated, record_activation, loads=[SIGNUP]),
    on(CustomerLoggedIn, record_login, loads=[SIGNUP]),
    on(CustomerContactChanged, record_contact, loads=[SIGNUP]),
    on(Withdraw, withdraw, loads=[SIGNUP]),
    on(SendWithdrawLink, send_withdraw_link, loads=[SIGNUP]),
    on(PutOffice, put_office, loads=[OFFICE]),
]
