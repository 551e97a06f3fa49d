"""A sign-up that is sent over HTTP, by a website or by our own form: one way in for both."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlmodel import select

from services.signup.answers import Accepted
from services.signup.form.validation import check
from services.signup.loads import office_code_of
from services.signup.models import REJECTED, Office, Signup
from shared.base.errors import Conflict, FieldError, Invalid
from shared.events import SignupRejected, SignupSubmitted
from shared.events.envelope import Envelope
from shared.host.runtime import Runtime
from shared.processing import Effect, Person
from shared.trade.catalogue import Catalogue

REFUSED = "Some fields are missing or wrong; correct them and send the sign-up again."


def submit(
    runtime: Runtime, data: Mapping[str, Any], *, by: Person, key: str | None = None
) -> tuple[UUID, Accepted]:
    """Hand a sign-up to the very handler that hears it from the broker; `key` makes a repeat safe.

    A key stands for one sign-up, which may be corrected as long as it was refused: so the inbox
    knows its contents apart, and the sign-up itself tells whether others were accepted.

    Returns the id of the onboarding that begins, and by what else it is known.

    Raises:
        Invalid: some fields are missing or wrong, and the errors name each; or other contents were
            accepted under the key.
        Conflict: the same was refused before, for a reason that is gone.
    """
    source = website(office_code_of(data))
    onboarding_id = runtime.derived_onboarding_id(source, by=by, key=key)
    subject, kind = str(onboarding_id), SignupSubmitted.event_type
    digest = Envelope("", source, kind, subject, runtime.clock(), data).digest()
    effects = runtime.handle_event(
        kind, data, subject=subject, source=source, by=by, key=key and f"{key}/{digest}"
    )
    if errors := _errors_in(effects or ()):
        raise Invalid("signup_invalid", REFUSED, errors=errors)
    return onboarding_id, _told_in(effects or ()) or _told_before(runtime, subject, data, digest)


def website(office: str | None) -> str:
    """How the website of an office is named in envelopes, whatever stands in the office's place."""
    return f"/website/{office or 'unknown'}"


def _errors_in(effects: Sequence[Effect]) -> Sequence[FieldError]:
    """What is wrong with a sign-up, by what it led to; nothing when it is accepted."""
    rejections = (effect for effect in effects if isinstance(effect, SignupRejected))
    return next((rejected.errors for rejected in rejections), ())


def _told_in(effects: Sequence[Effect]) -> Accepted | None:
    """What is told of a sign-up that was accepted just now."""
    return next((effect for effect in effects if isinstance(effect, Accepted)), None)


def _told_before(
    runtime: Runtime, onboarding_id: str, data: Mapping[str, Any], digest: str
) -> Accepted:
    """What was told of the sign-up that this one repeats: a repeat is answered like the first.

    Raises:
        Invalid: the same was refused before, for what is wrong with it.
        Conflict: the same was refused before, for a reason that is gone.
    """
    # These columns alone: the form itself is large.
    known = select(Signup.reference, Signup.submitted_at, Signup.digest).where(
        Signup.onboarding_id == onboarding_id, Signup.status != REJECTED
    )
    with runtime.reading() as session:
        row = session.exec(known).first()
        if row is not None and row[0] is not None and row[1] is not None and row[2] == digest:
            return Accepted(row[0], row[1])
        office = session.get(Office, office_code_of(data) or "")
    catalogue = runtime.resource(Catalogue)
    if errors := check(data, catalogue=catalogue, office=office, now=runtime.clock()).errors:
        raise Invalid("signup_invalid", REFUSED, errors=errors)
    # What stood in its way is gone, e.g. the office has been entered since.
    raise Conflict("signup_refused_before", "Send this sign-up with a new Idempotency-Key.")
