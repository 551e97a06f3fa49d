"""`stappenplan emit`: publish an event as the website or KING would."""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from shared.events.envelope import Envelope
    from shared.events.event import Event
    from shared.host.settings import Settings
    from shared.messaging.bus import PublishResult

MOST_BYTES = 64 * 1024**2
"""What is emitted at a time: all of it is looked at before any of it is said, and is in memory."""

EMIT_AGAIN = "Emit the same again then: an event that arrived after all counts once"


def emit(
    source: Annotated[str, typer.Argument(metavar="FILE|-", help="one event, or JSON lines")],
    as_json: Annotated[bool, typer.Option("--json", help="the ids, for a script")] = False,
) -> None:
    """Validate one event (or JSON lines) and publish it, as the website or KING would."""
    from infra.context import settings

    envelopes = [_validated(number, document) for number, document in _documents(_read(source))]
    current = settings()
    publish = _over_http if current.embedded else _over_broker
    publish(current, envelopes)
    for envelope in envelopes:
        shown = {"id": envelope.id, "type": envelope.type, "subject": envelope.subject}
        typer.echo(
            json.dumps(shown)
            if as_json
            else f"{envelope.type} {envelope.id} about {envelope.subject}"
        )


def _read(source: str) -> bytes:
    """What is in the file, or on standard input: some text, in UTF-8."""
    from infra.context import read_limited

    name = "standard input" if source == "-" else source
    content = read_limited(source, MOST_BYTES)
    try:
        content.decode()
    except UnicodeDecodeError as error:
        typer.echo(f"{name} is not text in UTF-8: see byte {error.start + 1}", err=True)
        raise typer.Exit(1) from None
    if not content.strip():
        typer.echo(f"there is no event in {name}", err=True)
        raise typer.Exit(1)
    return content


def _documents(content: bytes) -> Iterator[tuple[int, Any]]:
    """One document, or one on each line; read as strictly as the services will."""
    from shared.base.errors import Malformed
    from shared.events.envelope import parse

    try:
        document = parse(content)
    except Malformed as refusal:
        as_a_whole = refusal
    else:
        yield 1, document
        return
    for number, line in enumerate(content.splitlines(), 1):
        if line.strip():
            try:
                yield number, parse(line)
            except Malformed as refusal:
                # When the first line is none, it was meant as one document over several lines.
                raise _refuse(number, str(as_a_whole if number == 1 else refusal)) from None


def _validated(number: int, document: Any) -> "Envelope":
    """The event, if an outside system may say it."""
    from shared.base.errors import Malformed
    from shared.events import EVENTS, OUTSIDE, SignupSubmitted
    from shared.events.envelope import read_document

    if not isinstance(document, dict):
        raise _refuse(number, "an event is a JSON object")
    try:
        envelope = read_document(document)
    except Malformed as refusal:
        raise _refuse(number, str(refusal)) from None
    event = EVENTS.get(envelope.type)
    if event is None:
        raise _refuse(number, f"there is no event {envelope.type}")
    if event.said_by not in OUTSIDE:
        raise _refuse(number, f"{envelope.type} is said by {event.said_by} alone")
    if event is not SignupSubmitted:
        # What a customer filled in is for signup to judge, field by field.
        _require_data(number, event, envelope)
    return envelope


def _require_data(number: int, event: "type[Event]", envelope: "Envelope") -> None:
    from pydantic import ValidationError

    try:
        event.model_validate(envelope.data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _refuse(number, f"data.{where}: {first['msg']}") from None


def _refuse(number: int, reason: str) -> typer.Exit:
    from infra.context import printable

    # The reason may name what stands in the event, which anybody may have written.
    typer.echo(printable(f"event {number}: {reason}"), err=True)
    return typer.Exit(1)


def _over_http(settings: "Settings", envelopes: "list[Envelope]") -> None:
    import httpx

    from infra.composition import OPERATION_SCOPES
    from shared.host.addresses import http_address
    from shared.web.auth import issue_token

    key, scopes = settings.signing_key(), ["events:emit"]
    token = issue_token(key, scopes, known=OPERATION_SCOPES, name="emit", all_offices=True, days=1)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    url = f"{http_address(settings.http_host, settings.http_port)}/api/events"
    with httpx.Client(headers=headers, timeout=30) as client:
        for number, envelope in enumerate(envelopes, 1):
            try:
                answer = client.post(url, content=envelope.to_bytes())
            except httpx.TransportError:
                typer.echo(f"nothing answers at {url}; start it with `stappenplan run`", err=True)
                raise typer.Exit(1) from None
            if answer.status_code != 202:
                raise _refuse(number, _told(answer.status_code, answer.content))


def _told(status: int, body: bytes) -> str:
    """What is wrong by an answer; one that was made before anybody read the request tells less."""
    try:
        return str(json.loads(body)["detail"])
    except (ValueError, TypeError, KeyError):
        return f"it was not taken now (HTTP {status}). {EMIT_AGAIN}"


def _over_broker(settings: "Settings", envelopes: "list[Envelope]") -> None:
    from shared.messaging.bus import PublishResult

    users = dict.fromkeys(_user(envelope) for envelope in envelopes)
    for user in users:
        mine = [
            (number, envelope)
            for number, envelope in enumerate(envelopes, 1)
            if _user(envelope) == user
        ]
        results = _publish(settings, user, [envelope for _, envelope in mine])
        for (number, _), result in zip(mine, results, strict=True):
            if result is not PublishResult.CONFIRMED:
                raise _refuse(number, f"the broker did not take it from {user}: {_why(result)}")


def _why(result: "PublishResult") -> str:
    from shared.messaging.bus import PublishResult

    if result is PublishResult.REFUSED:
        return "refused; a queue that would get it is full, until its service has caught up"
    return f"{result.value}; `stappenplan doctor` names an exchange or a binding that is missing"


def _publish(
    settings: "Settings", user: str, envelopes: "list[Envelope]"
) -> "Sequence[PublishResult]":
    """Publish to the user's own exchange; where anybody is believed, else to the services'.

    So an office for which the broker was not set up can be tried, as long as nothing is strict.

    Raises:
        BusDown: the broker is away, or takes nothing.
    """
    from infra.buses import BusFactory, exchange_of_user, publish
    from shared.messaging.bus import ALARM, EXCHANGE, BusDown, Outgoing, PublishResult

    messages = [Outgoing(envelope.id, envelope.type, envelope.to_bytes()) for envelope in envelopes]
    exchanges = [exchange_of_user(user), *([] if settings.strict_publishers else [EXCHANGE])]
    results: Sequence[PublishResult] = ()
    for exchange in exchanges:
        bus = BusFactory(settings).bus(user, consume=False, exchange=exchange)
        bus.open()
        try:
            results = publish(bus, messages)
        except BusDown as away:
            # An exchange that is not there looks so, too: the other one may be.
            if exchange == exchanges[-1] or str(away) == ALARM:
                raise BusDown(f"{away}. {EMIT_AGAIN}") from None
        finally:
            bus.close()
        if results and all(result is PublishResult.CONFIRMED for result in results):
            break
    return results


def _user(envelope: "Envelope") -> str:
    """The broker user that may say this: a website has one for each office."""
    from shared.events import EVENTS

    said_by = EVENTS[envelope.type].said_by
    return f"website-{envelope.data.get('office_code')}" if said_by == "website" else said_by
