"""The bus of the embedded default: kombu's memory transport, in one process."""

from shared.messaging.embedded.broker import EmbeddedBroker, EmbeddedBus

__all__ = ["EmbeddedBroker", "EmbeddedBus"]
