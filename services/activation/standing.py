"""What there is to say of one step: how it stands, and what keeps it from going on."""

from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from services.activation.facts import Facts
from shared.base.words import Words

StepStatus = Literal["done", "current", "waiting", "failed"]
Actor = Literal["customer", "office", "payer", "king", "nobody"]


class Onboarding(Protocol):
    """What the checklist asks of one onboarding."""

    facts: Facts
    state: str | None
    ordered_by: str | None
    ordered_at: datetime | None
    sent_at: datetime | None
    expires_at: datetime | None
    first_login_at: datetime | None

    @property
    def may_be_sent(self) -> bool:
        """Whether nothing stands in the way of sending credentials."""

    @property
    def suspended(self) -> bool:
        """Whether they were sent, and what they were for is taken back."""

    @property
    def has_own_access(self) -> bool:
        """Whether the customer has a password of their own, and has logged in."""

    def can_log_in(self, now: datetime) -> bool:
        """Whether some password would let the customer in."""


class Blocker(NamedTuple):
    """Why the onboarding does not go on by itself, who can help, and since when it is so."""

    code: str
    words: Words
    actor: Actor
    since: datetime | None = None

    @property
    def text(self) -> str:
        """What programs are told, in Dutch."""
        return self.words.nl


class State(NamedTuple):
    """How one step stands: when and by whom it was done, or what keeps it from going on."""

    status: StepStatus
    at: datetime | None = None
    by: str | None = None
    blocker: Blocker | None = None


WAITING = State("waiting")


def done(at: datetime | None, by: str | None = None) -> State:
    """The step is behind the customer."""
    return State("done", at, by)


def current(code: str, words: Words, actor: Actor, since: datetime | None = None) -> State:
    """The step waits for somebody."""
    return State("current", blocker=Blocker(code, words, actor, since))


def failed(
    at: datetime | None, code: str, words: Words, actor: Actor, since: datetime | None = None
) -> State:
    """The step went wrong, and somebody must see to it."""
    return State("failed", at, blocker=Blocker(code, words, actor, since or at))
