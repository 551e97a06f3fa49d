"""What the services' databases tell of a drill: how far it is, how fast it went, what is left."""

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

STEPS: Mapping[str, tuple[str, str]] = {
    "accepted": ("signup", "SELECT count(*) FROM signup WHERE reference IS NOT NULL"),
    "registered": (
        "registration",
        "SELECT count(*) FROM registration WHERE administration_number IS NOT NULL",
    ),
    "ordered": ("billing", "SELECT count(*) FROM customer_order WHERE reference IS NOT NULL"),
    "documents sent": (
        "billing",
        "SELECT count(*) FROM notification WHERE kind = 'order_confirmation' AND status = 'sent'",
    ),
    "signed": ("billing", "SELECT count(*) FROM customer_order WHERE signed_on IS NOT NULL"),
    "released": ("billing", "SELECT count(*) FROM customer_order WHERE standing = 'released'"),
    "ready to activate": ("activation", "SELECT count(*) FROM activation WHERE ready"),
}
"""Each customer is counted once at each; in the end all are equal."""

LEFT = {
    "events not yet confirmed": "SELECT count(*) FROM outbox WHERE published_at IS NULL",
    "dead messages": "SELECT count(*) FROM inbox WHERE status = 'dead'",
    # The reminder of a week later is the one thing that may wait.
    "waiting messages": "SELECT count(*) FROM inbox WHERE status = 'waiting'"
    " AND type <> 'billing.remind_unsigned'",
    "mails not sent": "SELECT count(*) FROM notification WHERE status <> 'sent'",
}
"""In the end there is none of these in any database."""

HANDLED = """
    SELECT count(*), coalesce(extract(epoch FROM max(received_at) - min(received_at)), 0),
           coalesce((SELECT max(n) FROM (
               SELECT count(*) AS n FROM inbox WHERE type <> 'billing.remind_unsigned'
               GROUP BY floor(extract(epoch FROM received_at) / 5)) AS spans), 0)
    FROM inbox WHERE type <> 'billing.remind_unsigned'
"""
SENT = """
    SELECT count(*), coalesce(extract(epoch FROM max(sent_at) - min(sent_at)), 0),
           coalesce((SELECT max(n) FROM (
               SELECT count(*) AS n FROM notification WHERE status = 'sent'{kind}
               GROUP BY floor(extract(epoch FROM sent_at) / 5)) AS spans), 0)
    FROM notification WHERE status = 'sent'{kind}
"""
MAIL_KINDS = "SELECT kind, count(*) FROM notification WHERE status = 'sent' GROUP BY kind"
DOCUMENTS = " AND kind = 'order_confirmation'"


@dataclass(frozen=True)
class Pace:
    """How many, within how many seconds, and how many in the best five seconds."""

    count: int
    seconds: float
    best_five: int

    @property
    def per_second(self) -> float:
        """From the first to the last."""
        return self.count / max(self.seconds, 0.001)

    @property
    def best(self) -> float:
        """A second, in the best five."""
        return self.best_five / 5


class Figures:
    """Asks each service's database; `address` has `{service}` in it."""

    def __init__(self, address: str, names: list[str]) -> None:
        plain = address.replace("postgresql+psycopg://", "postgresql://")
        self._lines = {
            name: psycopg.connect(plain.replace("{service}", name), autocommit=True)
            for name in names
        }

    def close(self) -> None:
        """Hang up."""
        for line in self._lines.values():
            line.close()

    def steps(self) -> dict[str, int]:
        """How many customers have come to each step."""
        return {step: self._one(*where)[0] for step, where in STEPS.items()}

    def left(self) -> dict[str, int]:
        """What is not at rest, in all databases together."""
        return {
            what: sum(self._one(name, query)[0] for name in self._lines)
            for what, query in LEFT.items()
        }

    def handled(self, name: str) -> Pace:
        """The messages that a service took in: events, and requests over HTTP."""
        return self._pace(name, HANDLED)

    def mailed(self, name: str) -> Pace:
        """The mails that a service sent."""
        return self._pace(name, SENT.format(kind=""))

    def documents(self) -> Pace:
        """The confirmations that payers got; the office's copy carries the same document."""
        return self._pace("billing", SENT.format(kind=DOCUMENTS))

    def kinds(self) -> dict[str, int]:
        """How many mails of each kind were sent."""
        counts: dict[str, int] = {}
        for line in self._lines.values():
            counts |= {str(kind): int(count) for kind, count in line.execute(MAIL_KINDS)}
        return counts

    def _pace(self, name: str, query: str) -> Pace:
        count, seconds, best = self._one(name, query)
        return Pace(int(count), float(seconds), int(best))

    def _one(self, name: str, query: str) -> tuple[int, ...]:
        row = self._lines[name].execute(query).fetchone()
        assert row is not None
        return row
