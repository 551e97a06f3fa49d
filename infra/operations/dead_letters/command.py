"""`stappenplan dead`: messages that failed for good, and what a person does about them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from shared.persistence.database import Database
    from shared.processing import Person
    from shared.processing.engine import Engine

app = typer.Typer(no_args_is_help=True, help="Messages that failed for good.")

Json = Annotated[bool, typer.Option("--json", help="for a script")]
ServiceName = Annotated[str, typer.Argument(metavar="SERVICE", help="which service's")]
LetterId = Annotated[str, typer.Argument(metavar="ID", help="its id, or how the id begins")]
LetterIds = Annotated[
    list[str], typer.Argument(metavar="ID...", help="their ids, or how the ids begin")
]
AnyService = Annotated[
    str, typer.Argument(metavar="[SERVICE]", help="which service's; with --all may be left out")
]
AnyLetters = Annotated[
    list[str] | None, typer.Argument(metavar="[ID...]", help="their ids, or how the ids begin")
]
Like = Annotated[
    str | None,
    typer.Option(
        metavar="REASON",
        help="with --all: only what died of this, by words of its reason or its fingerprint",
    ),
]
CorrectedBody = Annotated[
    str,
    typer.Option(
        metavar="FILE|-",
        help="a corrected event (or body) to put in its place; the original is kept beside it",
    ),
]
By = Annotated[str, typer.Option(help="who decides; you, when left out")]
AT_MOST = 500
LARGEST_BODY = 16 * 1024**2
"""Bytes of a corrected body: what the broker takes by its own default."""


@app.command("list")
def list_letters(
    service: Annotated[str, typer.Argument(metavar="[SERVICE]", help="all, when left out")] = "",
    as_json: Json = False,
) -> None:
    """What failed for good, grouped by service and error."""
    from infra import context
    from infra.operations.dead_letters import groups, letters, showing

    names = [context.require_service(service)] if service else []
    if context.tell_if_not_made(names, as_list=as_json):
        return
    with context.databases_there(names) as databases:
        dead = letters.find(databases, limit=AT_MOST)
        not_kept = letters.not_kept(databases)
    if as_json:
        context.as_json([letter.model_dump() for letter in groups.grouped(dead)])
        return
    if not dead:
        typer.echo("nothing is dead")
        return
    showing.groups(dead)
    for overflow in not_kept:
        typer.echo(context.printable(overflow.sentence))
    typer.echo("`stappenplan dead show SERVICE ID` shows one whole; then `retry` or `drop` it")


@app.command()
def show(service: ServiceName, letter_id: LetterId, as_json: Json = False) -> None:
    """One dead letter whole: the event, the error, the attempts."""
    from infra import context
    from infra.operations.dead_letters import letters, showing

    context.require_service(service)
    with context.databases_there([service]) as databases:
        letter = letters.show(databases[service], letter_id).model_dump(exclude_unset=True)
    if as_json:
        context.as_json(letter)
    else:
        showing.whole(letter)


@app.command()
def retry(
    service: AnyService = "",
    letter_ids: AnyLetters = None,
    every: Annotated[bool, typer.Option("--all", help="every letter, but what is on hold")] = False,
    like: Like = None,
    why: Annotated[str, typer.Option(help="what has changed since")] = "by hand",
    by: By = "",
    body: CorrectedBody = "",
) -> None:
    """Give it back to the service that failed, once; a running service takes it up."""
    from infra.context import plain_option

    ids, why = letter_ids or [], plain_option("why", why)
    if every:
        _require(not ids and not body, "--all retries every letter: name none, and correct none")
        _require(like != "", "--like is empty: name a reason, or leave it out to retry everything")
        from infra.operations.dead_letters import together

        together.retry_and_tell(service, like or "", why, by)
    else:
        _require(bool(service and ids), "name a service and the ids of letters, or say --all")
        _require(like is None, "--like goes with --all")
        _retry_some(service, ids, why, by, body)


def _require(fits: bool, sentence: str) -> None:
    """End with exit code 2 where the words of a command do not fit each other."""
    if not fits:
        typer.echo(sentence, err=True)
        raise typer.Exit(2)


def _retry_some(service: str, letter_ids: Sequence[str], why: str, by: str, body: str) -> None:
    from infra import context
    from infra.composition import decoder
    from infra.operations.dead_letters import decisions
    from shared.persistence.clock import database_now

    correction = _read_for_one(letter_ids, body) if body else None
    own = decoder(context.settings(), context.require_service(service))

    def decide(database: "Database", letter_id: str, who: "Person") -> str:
        # When it is due, the services judge by their database's time.
        at = database_now(database)
        return decisions.retry(
            database, own, letter_id, by=who, why=why, at=at, correction=correction
        )

    _decide(decide, service, letter_ids, by, "is due again")


@app.command()
def rehearse(
    service: ServiceName,
    letter_id: LetterId,
    body: Annotated[
        str, typer.Option(metavar="FILE|-", help="a corrected event (or body) to try in its place")
    ] = "",
    as_json: Json = False,
) -> None:
    """What a retry would write and say: it is run and taken back, and nothing of it is done."""
    from infra import context
    from infra.operations.dead_letters import letters, showing
    from infra.operations.dead_letters.foretelling import Foretold

    context.require_service(service)
    correction = _read(body) if body else None
    with context.databases_there([service]) as databases, databases[service].read() as session:
        whole_id = letters.find_by_prefix(session, letter_id).id
    with _engine(service) as engine:
        foretold = Foretold.of(engine.rehearse(whole_id, correction))
    if as_json:
        context.as_json(foretold.as_json())
    else:
        showing.foretold(foretold)
    if not foretold.is_well:
        raise typer.Exit(1)


@contextmanager
def _engine(service: str) -> "Iterator[Engine]":
    """The engine of a service that is not at work: nobody publishes or sends for it."""
    from infra import context
    from infra.buses import BusFactory
    from infra.composition import build_service, publisher_rules, senders
    from shared.host.runtime import Runtime

    settings = context.settings()
    runtime = Runtime(
        build_service(service, settings),
        settings,
        BusFactory(settings).bus(service, consume=False),
        senders(settings),
        publisher_rules(settings),
    )
    with closing(runtime.database):
        yield runtime.engine


@app.command()
def drop(
    service: ServiceName,
    letter_ids: LetterIds,
    why: Annotated[str, typer.Option(help="the reason, kept on record")],
    by: By = "",
) -> None:
    """Let it rest, with a reason; it stays on record."""
    from infra.context import plain_option
    from infra.operations.dead_letters import decisions
    from shared.persistence.clock import database_now

    why = plain_option("why", why)

    def decide(database: "Database", letter_id: str, who: "Person") -> str:
        return decisions.drop(database, letter_id, by=who, why=why, at=database_now(database))

    _decide(decide, service, letter_ids, by, "is dropped")


def _read_for_one(letter_ids: Sequence[str], path: str) -> bytes:
    if len(letter_ids) > 1:
        typer.echo("--body corrects one letter: name that one alone", err=True)
        raise typer.Exit(2)
    return _read(path)


def _read(path: str) -> bytes:
    from infra import context

    return context.read_limited(path, LARGEST_BODY)


def _decide(
    decide: "Callable[[Database, str, Person], str]",
    service: str,
    letter_ids: Sequence[str],
    by: str,
    outcome: str,
) -> None:
    """Decide about each letter; one about which nothing can be decided does not stop the rest."""
    from infra import context
    from shared.processing.resolutions import NotDeadLettered, WouldBeRejected

    context.require_service(service)
    who, refused = context.decider(by), False
    with context.databases_there([service]) as databases:
        for prefix in letter_ids:
            try:
                letter_id = decide(databases[service], prefix, who)
            except (NotDeadLettered, WouldBeRejected) as refusal:
                typer.echo(str(refusal), err=True)
                refused = True
            else:
                typer.echo(f"{letter_id} {outcome} at {service}")
    if refused:
        raise typer.Exit(1)
