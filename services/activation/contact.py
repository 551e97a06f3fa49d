"""Correcting where a customer is reached: the one reading of it, for programs and for people."""

from pydantic import BaseModel, model_validator

from services.activation.commands import AmendContact
from shared.base.errors import Invalid
from shared.events.shapes import Language
from shared.trade.contact import EmailAddress, MobileNumber
from shared.trade.form import rules
from shared.trade.form.form import Form
from shared.web.pages import PostedForm


class Contact(BaseModel):
    """A corrected address, number, or both."""

    email: EmailAddress | None = None
    mobile: MobileNumber | None = None

    @model_validator(mode="after")
    def _something(self) -> "Contact":
        if self.email is None and self.mobile is None:
            raise ValueError("give an e-mail address, a mobile number, or both")
        return self

    def command(self, by: str, *, before_activation: bool = False) -> AmendContact:
        """What is asked of activation; `before_activation` that it is refused after that."""
        given = self.model_dump(exclude_none=True)
        return AmendContact(
            **given, by=by, changes=tuple(given), before_activation=before_activation
        )


MOBILE_CHARACTERS = 40


def read_contact(posted: PostedForm, language: Language, *, needs_email: bool = False) -> Contact:
    """The contact as somebody typed it into a form, be it staff or the customer.

    `needs_email` says that the address may not be left empty; something must be given at any rate.

    Raises:
        Invalid: a field is wrong; the errors say what to do, in the reader's language.
    """
    form = Form({name: posted.text(name) for name in Contact.model_fields}, language)
    email = form.checked("email", rules.email, required=needs_email)
    mobile = form.number("mobile", rules.mobile, limit=MOBILE_CHARACTERS)
    if not (email or mobile or form.errors):
        form.wrong("email", "missing")
    if form.errors:
        raise Invalid("contact_wrong", "The contact is wrong.", errors=form.errors)
    return Contact(email=email, mobile=mobile)
