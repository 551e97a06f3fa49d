"""The public contract for machines, made from the event classes and the subscriptions."""

from importlib.metadata import version
from typing import Any

import shared.events  # noqa: F401 - so that every event has entered the language.
from infra.composition import OUTSIDE
from shared.events.envelope import CONTENT_TYPE, MAX_TEXT
from shared.events.event import EVENTS, Event
from shared.events.king import KING_QUEUE
from shared.messaging.bus import EXCHANGE
from shared.messaging.topology.topology import Topology
from shared.processing.decoding import Publisher
from shared.web.app import inlined


def schemas() -> dict[str, Any]:
    """A JSON Schema for each event's data, by its name on the wire."""
    return {name: event.model_json_schema() for name, event in sorted(EVENTS.items())}


def message_schema(name: str, event: type[Event]) -> dict[str, Any]:
    """A JSON Schema for the whole message: the CloudEvents envelope, with the event's data inside.

    It needs nothing beside it: whatever it speaks of is spelled out in its place.
    """
    text = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}
    uuid = {"type": "string", "format": "uuid"}
    attributes = {
        "specversion": {"const": "1.0"},
        "id": uuid | {"description": "two deliveries with one id are one event"},
        "source": text | {"description": "who says it", "pattern": _source(event.said_by)},
        "type": {"const": name},
        "subject": uuid | {"description": "the onboarding id"},
        "time": {"type": "string", "format": "date-time", "description": "RFC 3339"},
        "data": inlined(event.model_json_schema()),
    }
    extensions = {
        "datacontenttype": {"const": "application/json"},
        "causationid": text | {"description": "the id of the event that caused this one"},
        "traceparent": text | {"description": "W3C trace context"},
    }
    return {
        "type": "object",
        "properties": attributes | extensions,
        "required": list(attributes),
    }


def _source(said_by: str) -> str:
    """The pattern of an event's `source`: an office's website adds the office."""
    source = (OUTSIDE.get(said_by) or Publisher.service(said_by)).source
    return f"^{source}" if source.endswith("/") else f"^{source}$"


def asyncapi_document(topology: Topology) -> dict[str, Any]:
    """Who says and hears which event, as AsyncAPI 3."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for name, event in sorted(EVENTS.items()):
        key = name.replace(".", "_")
        messages[key] = {
            "name": name,
            "summary": (event.__doc__ or "").splitlines()[0],
            "contentType": CONTENT_TYPE,
            "payload": message_schema(name, event),
        }
        channels[key] = _channel(name, key, _exchange(event.said_by))
        reference = {"$ref": f"#/channels/{key}"}
        operations[f"{event.said_by}_says_{key}"] = {"action": "send", "channel": reference}
        for queue in topology.subscribers(name):
            told = {"description": _true_request(event.said_by)} if queue == KING_QUEUE else {}
            operations[f"{queue}_hears_{key}"] = {"action": "receive", "channel": reference} | told
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Stappenplan", "version": version("stappenplan")},
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }


def _true_request(said_by: str) -> str:
    """By what KING knows that nobody but the service has asked: what the broker vouches for."""
    return (
        f"It is true only when it came by the exchange {EXCHANGE}, under the routing key that "
        f"equals its type, and the AMQP property user_id is {said_by}; take no other."
    )


def _exchange(said_by: str) -> str:
    """Where an event is published: an office's website puts its own code in the place of the last.

    What a service says counts as said by it when it came by the services' exchange and bears that
    service's name as AMQP's `user_id`.
    """
    outside = OUTSIDE.get(said_by)
    return outside.exchange({"office_code": "{office}"}) if outside else EXCHANGE


def _channel(name: str, key: str, exchange_name: str) -> dict[str, Any]:
    """Where an event travels: the exchange, under its own name as the routing key."""
    exchange = {"name": exchange_name, "type": "topic", "durable": True}
    return {
        "address": name,
        "messages": {key: {"$ref": f"#/components/messages/{key}"}},
        "bindings": {"amqp": {"is": "routingKey", "exchange": exchange}},
    }
