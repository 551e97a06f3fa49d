"""The embedded default's door for events of outside systems: `POST /api/events`."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends

from shared.base.errors import Forbidden, Invalid, Malformed
from shared.events import EVENTS, OUTSIDE
from shared.events.envelope import CONTENT_TYPE, read_document
from shared.host.runtime import Runtime
from shared.messaging.bus import Incoming
from shared.messaging.topology import exchange_of_source
from shared.web.app import api_router, caller_with
from shared.web.auth import Caller

Emitter = Annotated[Caller, Depends(caller_with("events:emit"))]


def event_ingest(runtimes: Sequence[Runtime]) -> APIRouter:
    """The route by which `stappenplan emit` reaches a running process.

    An event that is answered with 202 is in its service's database: nothing is lost when the
    process dies, although the embedded broker has no memory of its own.
    """
    routes = api_router(prefix="/api", tags=["events"])

    @routes.post("/events", status_code=202, summary="Emit an event of an outside system")
    def emit(document: Annotated[dict[str, Any], Body()], caller: Emitter) -> dict[str, str]:
        try:
            envelope = read_document(document)
        except Malformed as refusal:
            raise Invalid("event_malformed", str(refusal)) from None
        event = EVENTS.get(envelope.type)
        if event is None:
            raise Invalid("event_unknown", f"There is no event {envelope.type}.")
        if event.said_by not in OUTSIDE:
            raise Forbidden("event_not_yours", f"{envelope.type} is said by {event.said_by} alone.")
        caller.require_own_website(envelope.source, envelope.data.get("office_code"))
        exchange = exchange_for(caller.office, envelope.source)
        incoming = Incoming(envelope.to_bytes(), envelope.type, CONTENT_TYPE, exchange=exchange)
        for runtime in runtimes:
            if envelope.type in runtime.service.hears:
                _deliver(runtime, incoming)
        return {"id": envelope.id}

    return routes


def exchange_for(office: str | None, source: str) -> str:
    """The exchange by which an event would have come: that of the token's office.

    Where the token is for all offices, its event's source is believed.
    """
    return exchange_of_source(f"/website/{office}" if office else source)


def _deliver(runtime: Runtime, incoming: Incoming) -> None:
    try:
        runtime.engine.decoder.decode(incoming)
    except Malformed as refusal:
        raise Invalid("event_malformed", str(refusal)) from None
    runtime.engine.take([incoming])
