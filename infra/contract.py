"""The public contract for machines, made from the event classes and the subscriptions."""

from importlib.metadata import version
from typing import Any

import shared.events  # noqa: F401 - so that every event has entered the language.
from shared.events.event import EVENTS
from shared.messaging.bus import EXCHANGE
from shared.messaging.topology import Topology


def schemas() -> dict[str, Any]:
    """A JSON Schema for each event's data, by its name on the wire."""
    return {name: event.model_json_schema() for name, event in sorted(EVENTS.items())}


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
            "contentType": "application/cloudevents+json",
            "payload": event.model_json_schema(),
        }
        channels[key] = {
            "address": name,
            "messages": {key: {"$ref": f"#/components/messages/{key}"}},
            "bindings": {
                "amqp": {
                    "is": "routingKey",
                    "exchange": {"name": EXCHANGE, "type": "topic", "durable": True},
                }
            },
        }
        reference = {"$ref": f"#/channels/{key}"}
        operations[f"{event.said_by}_says_{key}"] = {"action": "send", "channel": reference}
        for queue in topology.subscribers(name):
            operations[f"{queue}_hears_{key}"] = {"action": "receive", "channel": reference}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Stappenplan", "version": version("stappenplan")},
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }
