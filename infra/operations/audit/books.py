"""What an audit finds: figures of customers and events, and a sentence for whatever is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from shared.host.service import Service
from shared.persistence.database import Database

Ledgers = Mapping[str, tuple[Service, Database]]
"""The services whose books are closed, by name, each with its own database."""

Kind = Literal["lost", "doubled", "unsaid"]


class SuspectKey(NamedTuple):
    """What is missing: the id of the event or of the onboarding, its type, and at whom."""

    id: str
    event: str
    at: str


@dataclass(frozen=True)
class Finding:
    """One thing that does not balance, in a sentence, and what to do about it.

    `lost` never had its effect, `doubled` had two, `unsaid` had one without anybody having said it.
    """

    kind: Kind
    sentence: str
    advice: str
    onboarding_id: str | None = None


@dataclass
class Pair:
    """How the events of one type stand between who says them and one who hears them.

    Of outside speakers nobody has the books: what came is what was said. What `king-billing` hears
    has arrived when its queue has it. `under_way` are published and not in the hearer's inbox,
    `retried` are there and due again later, `dropped` were given up by a person.
    """

    event: str
    speaker: str
    hearer: str
    said: int = 0
    arrived: int = 0
    unpublished: int = 0
    under_way: int = 0
    retried: int = 0
    dead: int = 0
    dropped: int = 0
    lost: int = 0

    @property
    def waiting(self) -> int:
        """What has its effect yet to come, by itself."""
        return self.unpublished + self.under_way + self.retried


@dataclass
class Customers:
    """Sign-ups that were accepted: a customer has arrived where every service knows what it must.

    Each is counted under one of `arrived`, `waiting`, `dead`, `dropped` and `lost`; `doubled` are
    those of whom something happened twice.
    """

    accepted: int = 0
    arrived: int = 0
    waiting: int = 0
    dead: int = 0
    dropped: int = 0
    lost: int = 0
    doubled: int = 0


@dataclass(frozen=True)
class Beside:
    """What waits in one service that is no event: timers, commands, mails and text messages."""

    timers: int
    unsent: int
    failed_mails: int
    dead_letters: int


@dataclass
class Books:
    """The outcome. `since` is None when everything that is kept was looked at.

    Only then is it told what waits `beside` the events: timers are counted one by one.
    `suspects` were missing at one look; what is missing at two is lost.
    """

    at: datetime
    since: datetime | None
    customers: Customers = field(default_factory=Customers)
    pairs: list[Pair] = field(default_factory=list)
    beside: dict[str, Beside] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    unsaid: int = 0
    doubled: int = 0
    suspects: frozenset[SuspectKey] = frozenset()

    @property
    def lost(self) -> int:
        """How many events reached somebody never, or customers whom somebody never heard of."""
        return max(sum(pair.lost for pair in self.pairs), self.customers.lost)

    @property
    def balanced(self) -> bool:
        """Whether nothing is lost, doubled, or heard without having been said."""
        return not (self.lost or self.doubled or self.unsaid)

    @property
    def line(self) -> str:
        """The outcome for customers, in one line."""
        it = self.customers
        return (
            f"accepted {it.accepted:,} · arrived {it.arrived:,} · lost {it.lost:,} · "
            f"doubled {it.doubled:,}"
        )


def some(findings: Sequence[Finding], limit: int) -> Sequence[Finding]:
    """So many findings at most, those of each kind in turn: one flood does not hide the others."""
    kinds: dict[Kind, list[Finding]] = {}
    for finding in findings:
        kinds.setdefault(finding.kind, []).append(finding)
    turns = sorted(
        (number, order, finding)
        for order, of_kind in enumerate(kinds.values())
        for number, finding in enumerate(of_kind)
    )
    return [finding for _, _, finding in turns[:limit]]
