"""What a process does for its services, when another process does the rest."""

from enum import StrEnum


class Role(StrEnum):
    """Half of a service's work, for a process of its own; one without a role does all of it.

    To render a mail is Python's own work, and takes the interpreter from the thread that consumes.
    Where many mails go with the events, as they do at billing, two processes side by side keep
    their pace: `run billing --only consume` and `run billing --only deliver`. There may be several
    of either.
    """

    CONSUME = "consume"
    """Everything but delivering mails and texts."""
    DELIVER = "deliver"
    """Delivering mails and texts, and publishing what is said once they have left; nothing is
    consumed, and no requests are answered but those for the process' health."""
