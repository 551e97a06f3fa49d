"""Why something could not be done, in words of the page's language."""

from datetime import datetime, timedelta

from services.activation.sending import RESEND_PAUSE
from shared.base.errors import Conflict
from shared.base.words import Words
from shared.trade.formats import clock

OTHERWISE = Words(
    "Dat kan nu niet; hieronder staat hoe deze klant ervoor staat.",
    "That is not possible now; below is how this customer stands.",
)
SAID = {
    "not_ready": Words(
        "Deze klant kan nog niet worden geactiveerd; hieronder staat waarop wordt gewacht.",
        "This customer cannot be activated yet; below is what is waited for.",
    ),
    "no_address": Words(
        "Er is geen mobiel nummer om naartoe te sturen; vul er een in, of kies e-mail.",
        "There is no mobile number to send to; fill one in, or choose e-mail.",
    ),
    "never_sent": Words(
        "Er is nog niets verstuurd; verstuur eerst de inloggegevens.",
        "Nothing was sent yet; send the login details first.",
    ),
    "not_signed_up": Words(
        "De inschrijving van deze klant is nog niet binnen.",
        "This customer's sign-up is not here yet.",
    ),
}


def said(conflict: Conflict) -> Words:
    """The sentence for a person who was refused; it names who was first, and when."""
    by, at = conflict.extra.get("ordered_by"), conflict.extra.get("ordered_at")
    if conflict.code in ("already_sent", "just_sent") and by and at:
        ordered_at = datetime.fromisoformat(at)
        if conflict.code == "just_sent":
            return _just_sent(str(by), ordered_at)
        return _already_sent(str(by), clock(ordered_at), conflict.extra.get("state") == "sending")
    return SAID.get(conflict.code, OTHERWISE)


def _already_sent(by: str, at: str, is_underway: bool) -> Words:
    if is_underway:
        return Words(
            f"De inloggegevens worden al verstuurd door {by}, sinds {at}.",
            f"The login details are being sent already by {by}, since {at}.",
        )
    return Words(
        f"De inloggegevens zijn al verstuurd door {by}, om {at}.",
        f"The login details were sent already by {by}, at {at}.",
    )


def _just_sent(by: str, ordered_at: datetime) -> Words:
    # Up to the whole minute, which is what people read.
    until = clock(ordered_at + RESEND_PAUSE + timedelta(seconds=59))
    return Words(
        f"{by} heeft ze net verstuurd. Geef het bericht even de tijd; opnieuw kan vanaf {until}.",
        f"{by} has just sent them. Give the message time to arrive; send again from {until}.",
    )
