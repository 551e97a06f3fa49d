"""What is wrong, in sentences: which event or customer, at whom, and what to do about it."""

from datetime import timedelta

from infra.operations.audit.books import Finding, SuspectKey
from infra.operations.audit.deliveries import Missing
from infra.operations.audit.unsaid import Unsaid


def lost_event(key: SuspectKey, missing: Missing) -> Finding:
    """An event that somebody who hears it never got."""
    at = missing.published_at
    sentence = (
        f"{key.event} {key.id} of {missing.subject}: published by {missing.speaker} "
        f"{at:%Y-%m-%d %H:%M:%S} UTC, {key.at} never got it"
    )
    # Whole seconds are easier to type; what is served again changes nothing.
    since = (at - timedelta(seconds=1)).replace(microsecond=0).isoformat()
    advice = (
        f"`stappenplan replay {key.at} --since {since}` brings it; `stappenplan doctor` says "
        "whether a binding is missing"
    )
    return Finding("lost", sentence, advice, missing.subject)


def lost_customer(key: SuspectKey, speaker: str) -> Finding:
    """A customer of whom one service knows what another should know by now."""
    sentence = f"{key.id}: {speaker} has said {key.event}, and {key.at} does not know of it"
    advice = (
        f"`stappenplan replay {key.at}` brings what was published within a week; if that is not "
        f"it, {speaker}'s outbox has lost it: bring the row back from a copy of its database"
    )
    return Finding("lost", sentence, advice, key.id)


def heard_unsaid(key: SuspectKey, unsaid: Unsaid) -> Finding:
    """An event that had its effect although its speaker's outbox does not have it."""
    sentence = (
        f"{key.event} {key.id} of {unsaid.subject}: heard by {key.at} "
        f"{unsaid.heard_at:%Y-%m-%d %H:%M:%S} UTC, and not in {unsaid.speaker}'s outbox"
    )
    advice = (
        f"either {unsaid.speaker}'s database lost a row, or somebody else speaks in its name: "
        "`stappenplan doctor` says whether the broker vouches for publishers"
    )
    return Finding("unsaid", sentence, advice, unsaid.subject)
