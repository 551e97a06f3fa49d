"""The mails of this step: what they are told, and to whom."""

from collections.abc import Sequence

from services.signup.form.validation import Checked
from services.signup.models import Signup
from shared.events import SignupAccepted
from shared.events.shapes import Language
from shared.notifications.messages import Mail
from shared.trade.catalogue import Catalogue


def confirmations(
    event: SignupAccepted, catalogue: Catalogue, base_url: str, signup: Signup, remarks: str | None
) -> Sequence[Mail]:
    """Tells the customer that their sign-up was received, and the office the same and more."""
    link = f"{base_url}/onboardings/{signup.onboarding_id}"
    mails = []
    for kind, to, language in (
        ("signup_received", event.customer.email, event.customer.language),
        ("signup_received_office", event.office.email, event.office.language),
    ):
        params = _summary(event, catalogue, language) | {"link": link, "remarks": remarks}
        mails.append(Mail(kind, to, language, params))
    return mails


def incomplete(checked: Checked) -> Sequence[Mail]:
    """Tells the customer what to correct, when they left an address that could work."""
    if checked.reply_to is None:
        return []
    errors = [error.model_dump() for error in checked.errors]
    return [Mail("signup_incomplete", checked.reply_to, checked.language, {"errors": errors})]


def withdrawal(event: SignupAccepted) -> Sequence[Mail]:
    """Tells customer and office that the onboarding has stopped."""
    params = {"reference": event.reference, "company": event.customer.company}
    return [
        Mail("onboarding_withdrawn", event.customer.email, event.customer.language, params),
        Mail("onboarding_withdrawn", event.office.email, event.office.language, params),
    ]


def _summary(event: SignupAccepted, catalogue: Catalogue, language: Language) -> dict[str, object]:
    quote = catalogue.price(event.package)
    return {
        "reference": event.reference,
        "company": event.customer.company,
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
