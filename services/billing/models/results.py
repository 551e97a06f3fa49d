"""What the results of one collection amount to, whatever the order in which they came.

The rules are those of SEPA direct debit. A collection succeeds or fails; what succeeded may come
back as a return, a refund or a reversal. On one end-to-end id a failure is terminal: another try
is a new attempt under a new id. So a failure after a success is a return under another name, and
a success after a failure contradicts the bank: a person must decide. It is not believed
meanwhile, since a customer who is released for money that never came is worse off, and so is the
vendor, than one who waits a day.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from services.billing.models.reasons import known_code, reason_for

Fact = dict[str, Any]
"""One result as KING reported it, and beside it what a person decided."""

Amount = tuple[int, str]
"""What an order asks for: cents, and their currency."""

TAKEN_BACK = ("returned", "refunded", "reversed")
WEIGHTS = {"submitted": 0, "failed": 1, "succeeded": 2} | dict.fromkeys(TAKEN_BACK, 3)
"""How far a collection has come; what weighs less than the exact results is settled by them."""

ACCEPT = "accept"
DISMISS = "dismiss"
DECISION = "decision"
"""Beside a kept result: what a person decided about it."""
DECIDED_WITHDRAWN = "decided_withdrawn"
"""Beside a decision: that the customer had left by then."""

DEVIATING = "deviating_amount"
CONTRADICTED = "after_failure"
PAID_TWICE = "paid_twice"
WITHDRAWN = "withdrawn"
DECEASED = "deceased"


@dataclass(frozen=True)
class Outcome:
    """What a set of results amounts to.

    `payments` are the successes whose money is there, the earliest first; `doubtful` the results
    that a person must decide, each with why.
    """

    status: str | None
    reason_code: str | None
    payments: Sequence[Fact]
    doubtful: Sequence[tuple[Fact, str]]


def result_id(order_reference: str, end_to_end_id: str, fact: Mapping[str, Any]) -> str:
    """The id of one result: it begins with its order, and fits into the path of an address."""
    letter = json.dumps([end_to_end_id, as_reported(fact)], sort_keys=True)
    return f"{order_reference}.{hashlib.sha256(letter.encode()).hexdigest()[:16]}"


def as_reported(fact: Mapping[str, Any]) -> Fact:
    """A kept result as KING said it, without what a person decided about it."""
    beside = (DECISION, DECIDED_WITHDRAWN)
    return {name: value for name, value in fact.items() if name not in beside}


def moment_of(fact: Mapping[str, Any]) -> datetime:
    """When it happened, as KING said."""
    return datetime.fromisoformat(fact["occurred_at"])


def outcome_of(facts: Iterable[Fact], amount: Amount, *, one_collection: bool) -> Outcome:
    """What the results of one end-to-end id amount to, against the order's amount and currency.

    `one_collection` says that the id names one collection and no other, as those do that we gave
    out. Under an id such as `NOTPROVIDED` each success is other money.
    """
    facts = list(facts)
    if len(facts) > 1:
        facts.sort(key=_in_time)
    counting, deviating = _parted(facts, lambda fact: _counts(fact, amount))
    failures = [fact for fact in counting if fact["status"] == "failed"]
    back = [fact for fact in counting if fact["status"] in TAKEN_BACK]
    successes = [fact for fact in counting if fact["status"] == "succeeded"]
    contradicted, credible = _doubted(successes, failures)
    late = [fact for fact in failures if any(_in_time_with(fact, paid) for paid in credible[:1])]
    gone = len(back) + len(late)
    payments = _money_once(credible, amount, gone) if one_collection else _left(credible, gone)
    status, reason_code = _status(counting, failures, back, late, paid=bool(payments))
    doubtful = [(fact, CONTRADICTED) for fact in contradicted if not back]
    doubtful += _unsettled(deviating, counting, credible, one_collection=one_collection)
    doubtful += [(fact, DECEASED) for fact in [*failures, *back] if _deceased(fact)]
    undecided = [(fact, why) for fact, why in doubtful if DECISION not in fact]
    return Outcome(status, known_code(reason_code), payments, undecided)


def _parted(
    facts: Iterable[Fact], wanted: Callable[[Fact], bool]
) -> tuple[Sequence[Fact], Sequence[Fact]]:
    """Those that are wanted, and the others, both in the order in which they came."""
    parts: tuple[list[Fact], list[Fact]] = ([], [])
    for fact in facts:
        parts[0 if wanted(fact) else 1].append(fact)
    return parts


def _status(
    counting: Sequence[Fact],
    failures: Sequence[Fact],
    back: Sequence[Fact],
    late: Sequence[Fact],
    *,
    paid: bool,
) -> tuple[str | None, str | None]:
    if paid:
        return "succeeded", None
    if back:
        last = max(back, key=lambda fact: (moment_of(fact), fact["status"], _code(fact)))
        return last["status"], last.get("reason_code")
    if late:
        return "returned", late[-1].get("reason_code")
    if failures:
        return "failed", failures[-1].get("reason_code")
    return ("submitted", None) if counting else (None, None)


def _money_once(credible: Sequence[Fact], amount: Amount, gone: int) -> Sequence[Fact]:
    """The success of a collection whose money is there: told again, it is the same money.

    It is as much as the exact result says, whatever a person has accepted beside it; once back,
    it is back.
    """
    if gone:
        return ()
    return sorted(credible, key=lambda fact: not _is_exact(fact, amount))[:1]


def _left(credible: Sequence[Fact], gone: int) -> Sequence[Fact]:
    """The successes whose money is still there: the last went back first, if a person saw it."""
    staying = sorted(credible, key=lambda fact: (fact.get(DECISION) == DISMISS, *_in_time(fact)))
    return staying[: max(0, len(staying) - gone)]


def _unsettled(
    deviating: Sequence[Fact],
    counting: Sequence[Fact],
    credible: Sequence[Fact],
    *,
    one_collection: bool,
) -> list[tuple[Fact, str]]:
    """Results over another amount; the exact ones settle those of the same collection."""
    if not deviating:
        return []

    def weight(fact: Fact) -> int:
        # After a success, a failure is a return under another name.
        is_late = fact["status"] == "failed" and any(map(partial(_in_time_with, fact), paid))
        return WEIGHTS["returned"] if is_late else WEIGHTS[fact["status"]]

    paid = credible[:1]
    settled = max(map(weight, counting), default=-1)
    return [
        (fact, DEVIATING)
        for fact in deviating
        if weight(fact) > settled or (fact["status"] == "succeeded" and not one_collection)
    ]


def _doubted(
    successes: Sequence[Fact], failures: Sequence[Fact]
) -> tuple[Sequence[Fact], Sequence[Fact]]:
    """Those before which the bank had said that it failed, and no person knows better; the others.

    Both lists are in the order of time.
    """
    if not failures:
        return (), successes
    failed_at = moment_of(failures[0])
    return _parted(
        successes, lambda fact: fact.get(DECISION) != ACCEPT and failed_at < moment_of(fact)
    )


def _in_time_with(failure: Fact, success: Fact) -> bool:
    return moment_of(failure) >= moment_of(success)


def came_to_nothing(facts: Iterable[Fact], amount: Amount) -> list[Fact]:
    """The failures, and what took money back, as far as they count."""
    failing = ("failed", *TAKEN_BACK)
    return [fact for fact in facts if fact["status"] in failing and _counts(fact, amount)]


def _counts(fact: Mapping[str, Any], amount: Amount) -> bool:
    """Whether it is over the exact amount, or a person accepted it."""
    return _is_exact(fact, amount) or fact.get(DECISION) == ACCEPT


def _is_exact(fact: Mapping[str, Any], amount: Amount) -> bool:
    return (fact["amount_cents"], fact["currency"]) == amount


def _deceased(fact: Mapping[str, Any]) -> bool:
    return reason_for(_code(fact)).stops_everything


def _code(fact: Mapping[str, Any]) -> str:
    return fact.get("reason_code") or ""


def _in_time(fact: Mapping[str, Any]) -> tuple[datetime, str, str]:
    return moment_of(fact), _code(fact), json.dumps(as_reported(fact), sort_keys=True)
