"""How the pages for operators call services, steps, and what keeps a service from working."""

from collections.abc import Mapping

from services.activation.pages.wording import SPEAKERS, STEPS
from shared.base.words import Words
from shared.host.standing import COUNTED_TO, Standing

REASONS: Mapping[str, Words] = {
    "the database does not answer": Words(
        "De database antwoordt niet.", "The database does not answer."
    ),
    "the broker cannot be reached, or its queue cannot be read": Words(
        "De broker is niet bereikbaar, of de queue is niet te lezen.",
        "The broker cannot be reached, or its queue cannot be read.",
    ),
    "consumption is paused": Words(
        "Er worden nu geen berichten aangenomen.", "No messages are taken now."
    ),
    "delivery is paused": Words(
        "Er worden nu geen mails en sms'en verstuurd.", "No mails or texts are sent now."
    ),
}
VERDICTS: Mapping[str, Words] = {
    "retry": Words("Opnieuw aangeboden", "Retried"),
    "drop": Words("Terzijde gelegd", "Dropped"),
}
STATUSES: Mapping[str, tuple[str, Words]] = {
    "waiting": ("busy", Words("wordt opnieuw gedaan", "is run again")),
    "done": ("good", Words("gelukt", "succeeded")),
    "sent": ("good", Words("verstuurd", "sent")),
    "dead": ("bad", Words("mislukt", "failed")),
    "failed": ("bad", Words("niet verstuurd", "not sent")),
    "dropped": ("quiet", Words("terzijde gelegd", "dropped")),
    "cancelled": ("quiet", Words("terzijde gelegd", "dropped")),
}
"""What has become of a letter: the tone of its badge, and its words."""

UNKNOWN = ("quiet", Words("niet meer bewaard", "no longer kept"))


def service_words(name: str) -> Words:
    """A service's name for people, with the name that commands and queues know it by."""
    known = SPEAKERS.get(name)
    if known is None:
        return Words(name, name)
    return Words(f"{known.nl.capitalize()} ({name})", f"{known.en.capitalize()} ({name})")


def step_words(step: str | None) -> Words | None:
    """What a step of the plan is called."""
    return None if step is None else STEPS.get(step, Words(step, step))


def reason_words(reason: str) -> Words:
    """What keeps a service from working, as a sentence."""
    return REASONS.get(reason, Words(reason, reason))


def lamp(standing: Standing) -> tuple[str, Words]:
    """The light of a service, and what it says."""
    if standing.reasons:
        return "bad", Words("kan nu niet werken", "cannot work now")
    if standing.dead:
        return "bad", Words("vraagt aandacht", "needs attention")
    if standing.is_busy:
        return "busy", Words("aan het werk", "at work")
    return "good", Words("alles is gedaan", "all is done")


def counted(number: int) -> str:
    """A number, as far as it was counted."""
    return f"{COUNTED_TO}+" if number > COUNTED_TO else str(number)
