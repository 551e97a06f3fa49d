"""Retrying many dead letters at once: all, or all that died of one thing."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from uuid import uuid4

import typer
from rich.console import Console
from rich.progress import Progress
from sqlalchemy import func, select
from sqlmodel import Session, col

from infra import context
from infra.composition import decoder
from infra.operations.dead_letters import decisions
from infra.operations.dead_letters.groups import fingerprint_of
from infra.operations.dead_letters.letters import DeadLetter
from shared.notifications.tables import FAILED, Notification
from shared.persistence.clock import database_now
from shared.persistence.database import Database
from shared.processing import Person
from shared.processing.decoding import Decoder
from shared.processing.resolutions import NotDeadLettered, WouldBeRejected
from shared.processing.store import triage
from shared.processing.store.tables import DEAD, Inbox

PAGE = 500


@dataclass
class Outcome:
    """What came of it: how many are due again, how many are on hold, why others were refused."""

    retried: int = 0
    on_hold: int = 0
    refused: Counter[str] = field(default_factory=Counter)


def count(database: Database) -> int:
    """How many letters of a service are dead now."""
    with database.read() as session:
        messages = select(func.count()).where(col(Inbox.status) == DEAD)
        mails = select(func.count()).where(col(Notification.status) == FAILED)
        return int(session.scalar(messages) or 0) + int(session.scalar(mails) or 0)


def retry_all(
    service: str,
    database: Database,
    own: Decoder,
    *,
    like: str,
    by: Person,
    why: str,
    step: Callable[[], object],
) -> Outcome:
    """Retry every dead letter of a service, each in a transaction of its own, as one round.

    With `like` only those whose reason has this text in it, whatever its case, or whose
    fingerprint it is. What an operator has put on hold stays. `step` is called for each letter.
    When they are due is told by the database's time, by which the services look for them.
    """
    outcome, round_id, at = Outcome(), str(uuid4()), database_now(database)
    for letter, held in _each(service, database):
        step()
        if not _died_of(letter, like):
            continue
        if held:
            outcome.on_hold += 1
            continue
        try:
            decisions.retry(database, own, letter.id, by=by, why=why, at=at, round_id=round_id)
        except (NotDeadLettered, WouldBeRejected) as refusal:
            outcome.refused[str(refusal)] += 1
        else:
            outcome.retried += 1
    return outcome


def _died_of(letter: DeadLetter, like: str) -> bool:
    return like.casefold() in letter.error.casefold() or like == letter.fingerprint


def _each(service: str, database: Database) -> Iterator[tuple[DeadLetter, bool]]:
    """Every dead letter, and whether it is on hold; a page of them is in memory at a time."""
    for read in (_messages, _notifications):
        last = ""
        while True:
            with database.read() as session:
                page = read(session, service, last)
                cares = triage.of(session, [letter.id for letter in page])
            for letter in page:
                care = cares.get(letter.id)
                fingerprint = fingerprint_of(letter)
                yield (
                    letter.model_copy(update={"fingerprint": fingerprint}),
                    care is not None and care.on_hold,
                )
            if len(page) < PAGE:
                break
            last = page[-1].id


def _messages(session: Session, service: str, after: str) -> list[DeadLetter]:
    columns = Inbox.id, Inbox.type, Inbox.subject, Inbox.received_at, Inbox.attempts, Inbox.error
    statement = select(*columns).where(col(Inbox.status) == DEAD, col(Inbox.id) > after)  # type: ignore[call-overload]
    rows = session.execute(statement.order_by(col(Inbox.id)).limit(PAGE)).all()
    return [_letter(service, "message", *row) for row in rows]


def _notifications(session: Session, service: str, after: str) -> list[DeadLetter]:
    one = Notification
    columns = one.id, one.kind, one.onboarding_id, one.created_at, one.attempts, one.error
    statement = select(*columns).where(col(one.status) == FAILED, col(one.id) > after)  # type: ignore[call-overload]
    rows = session.execute(statement.order_by(col(one.id)).limit(PAGE)).all()
    return [_letter(service, "notification", *row) for row in rows]


def _letter(service: str, kind: str, *row: object) -> DeadLetter:
    names = ("id", "type", "subject", "since", "attempts", "error")
    values = dict(zip(names, row, strict=True))
    values["error"] = values["error"] or ""
    return DeadLetter.model_validate({"service": service, "kind": kind, **values})


def retry_and_tell(service: str, like: str, why: str, by: str) -> None:
    """Retry every letter of one service, or of all, and say what came of it."""
    names = [context.require_service(service)] if service else []
    who, settings = context.decider(by), context.settings()
    outcomes = {}
    with (
        context.databases_there(names) as databases,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        for name, database in databases.items():
            task = progress.add_task(name, total=count(database))
            outcomes[name] = retry_all(
                name,
                database,
                decoder(settings, name),
                like=like,
                by=who,
                why=why,
                step=partial(progress.advance, task),
            )
    _show_outcomes(outcomes, like)


def _show_outcomes(outcomes: Mapping[str, Outcome], like: str) -> None:
    silent = True
    for name, outcome in outcomes.items():
        if outcome.retried:
            typer.echo(f"{name}: {context.times(outcome.retried, 'letter')} due again")
        if outcome.on_hold:
            typer.echo(f"{name}: {context.times(outcome.on_hold, 'letter')} left, being on hold")
        for refusal, number in outcome.refused.items():
            sentence = f"{name}: {context.times(number, 'letter')} not retried: {refusal}"
            typer.echo(context.printable(sentence), err=True)
        silent = silent and not (outcome.retried or outcome.on_hold or outcome.refused)
    if silent:
        typer.echo(f"nothing that is dead died of {like!r}" if like else "nothing is dead")
    if any(outcome.refused for outcome in outcomes.values()):
        raise typer.Exit(1)
