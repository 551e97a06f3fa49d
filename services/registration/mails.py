"""The mails of this step: what they are told, and to whom."""

from shared.events import SignupAccepted
from shared.notifications.messages import Mail
from shared.notifications.offices import office_params


def administration_failed(signup: SignupAccepted, base: str) -> Mail:
    """Tells the office that a customer has no administration, and which base was missing.

    That one was made is said with the release, when something can be done with it.
    """
    office = signup.office
    params = {
        "reference": signup.reference,
        "company": signup.customer.company,
        "base": base,
        **office_params(office),
    }
    return Mail("administration_failed", office.email, office.language, params)
