"""What registration does upon each event and command."""

from collections.abc import Iterator, Sequence

from services.registration import charts
from services.registration.commands import (
    CorrectSignup,
    DeclineCustomer,
    MakeAdministration,
    PutBaseAdministration,
    RegisterCustomer,
)
from services.registration.corrections import corrected
from services.registration.mails import administration_failed
from services.registration.models import (
    PENDING,
    REGISTERED,
    REVIEW,
    BaseAdministration,
    Chart,
    Registration,
    base_key,
)
from shared.base.errors import Conflict, NotFound
from shared.events import (
    AdministrationFailed,
    OnboardingWithdrawn,
    RegistrationDeclined,
    SignupAccepted,
)
from shared.events.envelope import Envelope
from shared.processing import Effect, Entities, Load, Loaded, Message, Now, Numbers, by_subject, on
from shared.trade.catalogue import Catalogue

CUSTOMERS = "customer"
ADMINISTRATIONS = "administration"
Bases = Loaded[BaseAdministration]


def register_automatically(
    event: SignupAccepted,
    envelope: Envelope,
    registrations: Loaded[Registration],
    bases: Loaded[BaseAdministration],
    numbers: Numbers,
    now: Now,
) -> Sequence[Effect]:
    """Register at once when nothing is flagged and the office's policy allows it."""
    registration = _registration(registrations, envelope.subject)
    if registration.accepted is not None:
        registration.require_same_contents(event)
        return []  # Hearing the fact again changes nothing.
    registration.record_signup(event, now)
    flagged = any(warning.needs_review for warning in event.warnings)
    if registration.status != REVIEW or flagged or event.office.review == "always":
        return []
    return _register(registration, event, bases, numbers, by="policy")


def withdraw(
    _event: OnboardingWithdrawn, envelope: Envelope, registrations: Loaded[Registration]
) -> Sequence[Effect]:
    """Keep the withdrawal, even when it is the first thing heard of this onboarding."""
    _registration(registrations, envelope.subject).withdraw()
    return []


def register(
    command: RegisterCustomer,
    envelope: Envelope,
    registrations: Loaded[Registration],
    bases: Loaded[BaseAdministration],
    numbers: Numbers,
) -> Sequence[Effect]:
    """Register the customer: the office has looked and says yes."""
    registration = _load_or_404(registrations, envelope)
    return _register(registration, registration.signup(), bases, numbers, by=command.by)


def correct(
    command: CorrectSignup,
    envelope: Envelope,
    registrations: Loaded[Registration],
    catalogue: Catalogue,
    now: Now,
) -> Sequence[Effect]:
    """Correct what was signed up with, until the customer is registered or declined.

    Raises:
        Conflict: this was decided before.
        Invalid: what it would become is not in order.
    """
    registration = _load_or_404(registrations, envelope)
    registration.require_undecided()
    changes = command.model_dump(include={"customer", "package", "payer"})
    registration.correct(corrected(registration.signup(), changes, catalogue), command.by, now)
    return []


def decline(
    command: DeclineCustomer, envelope: Envelope, registrations: Loaded[Registration]
) -> Sequence[Effect]:
    """Decline the sign-up: the office has looked and says no."""
    _load_or_404(registrations, envelope).decline(command.by)
    return [RegistrationDeclined(reason=command.reason)]


def make_administration(
    command: MakeAdministration,
    envelope: Envelope,
    registrations: Loaded[Registration],
    bases: Loaded[BaseAdministration],
    numbers: Numbers,
) -> Sequence[Effect]:
    """Copy a base administration again, after a failure or from another base.

    Raises:
        Conflict: the customer is not registered.
    """
    registration = _load_or_404(registrations, envelope)
    if registration.status != REGISTERED:
        raise Conflict("not_registered", "Register the customer first; then their administration.")
    if registration.is_set_up_from(command.base_administration):
        registration.administration_error = None
        return []  # The customer works in it: pressing once more must not give them other books.
    signup, chosen = registration.signup(), command.base_administration
    made, *_ = _copy(registration, signup, bases, numbers, chosen)
    return [made]  # Whoever asked sees what became of it.


def put_base(
    command: PutBaseAdministration,
    bases: Loaded[BaseAdministration],
    stored: Loaded[Chart],
) -> Sequence[Effect]:
    """Add or replace a base administration; administrations copied earlier keep their chart."""
    fingerprint = charts.chart_id(command.accounts)
    if fingerprint not in stored:
        stored.add(Chart(id=fingerprint, accounts=charts.as_rows(command.accounts)))
    key = base_key(command.office_code, command.code)
    base = bases.get(key)
    if base is None:
        bases.add(
            BaseAdministration(
                key=key,
                code=command.code,
                office_code=command.office_code,
                name=command.name,
                chart_id=fingerprint,
            )
        )
    else:
        base.name, base.chart_id = command.name, fingerprint
    return []


def _register(
    registration: Registration, signup: SignupAccepted, bases: Bases, numbers: Numbers, *, by: str
) -> Sequence[Effect]:
    completed = registration.register(signup, f"K-{100_000 + numbers.take(CUSTOMERS)}", by)
    return [completed, *_copy(registration, signup, bases, numbers, None)]


def _copy(
    registration: Registration,
    signup: SignupAccepted,
    bases: Bases,
    numbers: Numbers,
    chosen: str | None,
) -> list[Effect]:
    office = signup.office
    code = chosen or office.base_administration
    base = bases.get(base_key(office.code, code)) or bases.get(base_key("", code))
    if base is None:
        reason = f"the base administration {code!r} does not exist"
        registration.administration_error = reason
        return [AdministrationFailed(reason=reason), administration_failed(signup, code)]
    number = f"A-{100_000 + numbers.take(ADMINISTRATIONS)}"
    return [registration.set_up(number, signup.customer.company, base)]


def _registration(registrations: Loaded[Registration], onboarding_id: str) -> Registration:
    """The registration, added when this is the first thing heard of the onboarding."""
    return registrations.get(onboarding_id) or registrations.add(
        Registration(onboarding_id=onboarding_id)
    )


def _load_or_404(registrations: Loaded[Registration], envelope: Envelope) -> Registration:
    """The registration that a command is about.

    Raises:
        NotFound: its sign-up has not been heard.
    """
    registration = registrations.get(envelope.subject)
    if registration is None or registration.status == PENDING:
        raise NotFound("not_found", "There is no registration by that id.")
    return registration


def _bases_of(code: str, office_code: str) -> list[str]:
    return [base_key(office_code, code), base_key("", code)]


def _base_of_event(message: Message, _entities: Entities) -> list[str]:
    content = message.content
    if not isinstance(content, SignupAccepted):
        return []
    return _bases_of(content.office.base_administration, content.office.code)


def _base_of_registration(message: Message, entities: Entities) -> Iterator[str]:
    chosen = getattr(message.content, "base_administration", None)
    registration = entities[Registration].get(message.envelope.subject)
    if registration is not None and registration.accepted is not None:
        office = registration.signup().office
        yield from _bases_of(chosen or office.base_administration, office.code)


def _base_to_put(message: Message, _entities: Entities) -> list[str]:
    content = message.content
    if not isinstance(content, PutBaseAdministration):
        return []
    return [base_key(content.office_code, content.code)]


def _chart_to_put(message: Message, _entities: Entities) -> list[str]:
    content = message.content
    return [charts.chart_id(content.accounts)] if isinstance(content, PutBaseAdministration) else []


REGISTRATION = by_subject(Registration)
BASE_OF_EVENT = Load(BaseAdministration, "key", _base_of_event, lock=False)
BASE_OF_REGISTRATION = Load(BaseAdministration, "key", _base_of_registration, lock=False)
BASE_TO_PUT = Load(BaseAdministration, "key", _base_to_put)
CHART_TO_PUT = Load(Chart, "id", _chart_to_put, lock=False)

SUBSCRIPTIONS = [
    on(SignupAccepted, register_automatically, loads=[REGISTRATION, BASE_OF_EVENT]),
    on(OnboardingWithdrawn, withdraw, loads=[REGISTRATION]),
    on(RegisterCustomer, register, loads=[REGISTRATION, BASE_OF_REGISTRATION]),
    on(CorrectSignup, correct, loads=[REGISTRATION]),
    on(DeclineCustomer, decline, loads=[REGISTRATION]),
    on(MakeAdministration, make_administration, loads=[REGISTRATION, BASE_OF_REGISTRATION]),
    on(PutBaseAdministration, put_base, loads=[BASE_TO_PUT, CHART_TO_PUT]),
]
