"""The mails of this step: what they are told, and to whom."""

from collections.abc import Sequence
from typing import Any

from services.signup.form.validation import LINK, Checked
from services.signup.models import Office, Signup
from shared.events import SignupAccepted
from shared.events.shapes import Language
from shared.notifications.messages import Mail
from shared.notifications.offices import office_params, reply_to
from shared.trade.catalogue import Catalogue
from shared.trade.form.texts import field_name

TOO_MANY = "too_many_signups"
"""The warning that there were more sign-ups within an hour than are believed: nobody is mailed."""

MODULE = ("Module ", " module")
"""What a module's name says beside its own: in a row that is headed so, it is said twice."""


def confirmations(
    event: SignupAccepted, catalogue: Catalogue, signup: Signup, remarks: str | None
) -> Sequence[Mail]:
    """Tells the customer that their sign-up was received, and the office the same and more.

    What may be somebody's bad joke on a stranger waits for the office: a text with a link goes to
    the office alone, and a flood to nobody.
    """
    customer, office = event.customer, event.office
    to_customer = _summary(event, catalogue, customer.language)
    to_office = _summary(event, catalogue, office.language) | {"remarks": remarks}
    mails = [
        Mail(
            "signup_received",
            customer.email,
            customer.language,
            to_customer,
            reply_to=reply_to(office),
        ),
        Mail("signup_received_office", office.email, office.language, to_office),
    ]
    return _allowed(mails, signup)


def incomplete(checked: Checked, office: Office | None) -> Sequence[Mail]:
    """Tells the customer what to correct, when they left an address that could work."""
    if checked.reply_to is None:
        return []
    language = checked.language
    errors = [
        {"field": error.field, "name": field_name(error.field, language), "message": error.message}
        for error in checked.errors
    ]
    known = office and office.public()
    params: dict[str, Any] = {"errors": errors, "office": None}
    params |= office_params(known) if known else {}
    answers = reply_to(known) if known else None
    return [Mail("signup_incomplete", checked.reply_to, language, params, reply_to=answers)]


def withdrawal(signup: Signup) -> Sequence[Mail]:
    """Tells customer and office that the onboarding has stopped."""
    event = signup.acceptance()
    customer, office = event.customer, event.office
    params = _who(event) | {"has_link": LINK in signup.unreviewed}
    mails = [
        Mail(
            "onboarding_withdrawn",
            customer.email,
            customer.language,
            params,
            reply_to=reply_to(office),
        ),
        Mail("onboarding_withdrawn_office", office.email, office.language, params),
    ]
    return _allowed(mails, signup)


def withdraw_link(signup: Signup) -> Sequence[Mail]:
    """Gives the customer a new link to the page where they can withdraw.

    One who may be a stranger to the sign-up was not mailed before, and is not now.
    """
    return _to_customer(signup, "withdraw_link", {})


def declined(signup: Signup, reason: str) -> Sequence[Mail]:
    """Tells the customer that the office does not register them, and why.

    One who may be a stranger to the sign-up was not mailed before, and is not now.
    """
    return _to_customer(signup, "signup_declined", {"reason": reason})


def _to_customer(signup: Signup, kind: str, more: dict[str, Any]) -> Sequence[Mail]:
    if {TOO_MANY, LINK} & signup.unreviewed:
        return []
    event = signup.acceptance()
    customer, answers, params = event.customer, reply_to(event.office), _who(event) | more
    return [Mail(kind, customer.email, customer.language, params, reply_to=answers)]


def _allowed(mails: Sequence[Mail], signup: Signup) -> Sequence[Mail]:
    """Those of a customer's and an office's mail, in this order, that may go out by now."""
    if TOO_MANY in signup.unreviewed:
        return []
    return mails[1:] if LINK in signup.unreviewed else mails


def _who(event: SignupAccepted) -> dict[str, Any]:
    return {
        "reference": event.reference,
        "company": event.customer.company,
        "contact": event.customer.contact.full_name,
        **office_params(event.office),
    }


def _summary(event: SignupAccepted, catalogue: Catalogue, language: Language) -> dict[str, Any]:
    quote = catalogue.price(event.package)
    package, *modules = [line.description(language) for line in quote.lines]
    return _who(event) | {
        "has_link": any(warning.code == LINK for warning in event.warnings),
        "email": event.customer.email,
        "mobile": event.customer.mobile,
        "kvk": event.customer.kvk,
        "package": [package, *(_without_heading(module) for module in modules)],
        "gross_cents": quote.gross_cents,
        "frequency": quote.frequency,
        "payer": event.payer.kind,
        "payer_name": event.payer.name,
        "iban_tail": (event.payer.iban or "")[-4:],
        "warnings": [warning.model_dump() for warning in event.warnings],
    }


def _without_heading(module: str) -> str:
    """`Module Facturatie` as it stands in a row that is headed Module: Facturatie."""
    before, after = MODULE
    return module.removeprefix(before).removesuffix(after) or module
