"""The mails of this step: what they are told, and to whom."""

from collections.abc import Sequence

from services.signup.form.validation import LINK, Checked
from services.signup.models import Signup
from shared.events import SignupAccepted
from shared.events.shapes import Language
from shared.notifications.messages import Mail
from shared.trade.catalogue import Catalogue

TOO_MANY = "too_many_signups"
"""The warning that there were more sign-ups within an hour than are believed: nobody is mailed."""


def confirmations(
    event: SignupAccepted, catalogue: Catalogue, base_url: str, signup: Signup, remarks: str | None
) -> Sequence[Mail]:
    """Tells the customer that their sign-up was received, and the office the same and more.

    What may be somebody's bad joke on a stranger waits for the office: a text with a link goes to
    the office alone, and a flood to nobody.
    """
    link = f"{base_url}/onboardings/{signup.onboarding_id}"
    mails = []
    for kind, to, language in (
        ("signup_received", event.customer.email, event.customer.language),
        ("signup_received_office", event.office.email, event.office.language),
    ):
        params = _summary(event, catalogue, language) | {"link": link, "remarks": remarks}
        mails.append(Mail(kind, to, language, params))
    return _allowed(mails, signup)


def incomplete(checked: Checked) -> Sequence[Mail]:
    """Tells the customer what to correct, when they left an address that could work."""
    if checked.reply_to is None:
        return []
    errors = [error.model_dump() for error in checked.errors]
    return [Mail("signup_incomplete", checked.reply_to, checked.language, {"errors": errors})]


def withdrawal(signup: Signup) -> Sequence[Mail]:
    """Tells customer and office that the onboarding has stopped."""
    event = signup.acceptance()
    params = {
        "reference": event.reference,
        "company": event.customer.company,
        "has_link": LINK in signup.unreviewed,
    }
    mails = [
        Mail("onboarding_withdrawn", event.customer.email, event.customer.language, params),
        Mail("onboarding_withdrawn", event.office.email, event.office.language, params),
    ]
    return _allowed(mails, signup)


def _allowed(mails: Sequence[Mail], signup: Signup) -> Sequence[Mail]:
    """Those of a customer's and an office's mail, in this order, that may go out by now."""
    if TOO_MANY in signup.unreviewed:
        return []
    return mails[1:] if LINK in signup.unreviewed else mails


def _summary(event: SignupAccepted, catalogue: Catalogue, language: Language) -> dict[str, object]:
    quote = catalogue.price(event.package)
    return {
        "reference": event.reference,
        "company": event.customer.company,
        "has_link": any(warning.code == LINK for warning in event.warnings),
        "contact": event.customer.contact.full_name,
        "email": event.customer.email,
        "mobile": event.customer.mobile,
        "kvk": event.customer.kvk,
        "office": event.office.name,
        "office_email": event.office.email,
        "package": [line.description(language) for line in quote.lines],
        "gross_cents": quote.gross_cents,
        "frequency": quote.frequency,
        "payer": event.payer.kind,
        "iban_tail": (event.payer.iban or "")[-4:],
        "warnings": [warning.model_dump() for warning in event.warnings],
    }
