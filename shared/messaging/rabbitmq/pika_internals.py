"""The private names of pika that `connection` stands on; pika promises nothing about them."""

from types import ModuleType

from shared.base import internals

METHODS = ("_adapter_emit_data", "_on_data_available", "_process_frame", "_terminate_stream")
"""Methods of pika's connection that we override or call."""

ATTRIBUTES = ("_body_max_length", "_frame_buffer", "_transport")
"""Attributes that pika gives each connection, and that we read or write."""

TRANSPORTS = ("_AsyncPlaintextTransport", "_AsyncSSLTransport")
TRANSPORT_ATTRIBUTES = ("_nbio", "_sock", "_on_socket_readable")
"""What pika reads its socket by, plain or encrypted; see `socket_reader`."""

SUPPORTED = "pika>=1.4.4,<1.5"
REMEDY = f"install {SUPPORTED} (see pyproject.toml)"


def require_internals(connection_class: type, version: str) -> None:
    """Check that pika's connection class has every private name that we use.

    Raises:
        ImportError: one is missing; the text says which, and which pika to install.
    """
    internals.require_internals(
        f"pika {version}",
        connection_class,
        members=METHODS,
        attributes=ATTRIBUTES,
        remedy=REMEDY,
    )


def require_loop_internals(loop_class: type, poller_class: type, version: str) -> None:
    """Check that pika's loop notes that it runs where `bus` takes that back.

    Raises:
        ImportError: it does not; the text says which pika to install.
    """
    name = f"pika {version}"
    internals.require_internals(name, loop_class, attributes=("_poller",), remedy=REMEDY)
    internals.require_internals(name, poller_class, attributes=("_running",), remedy=REMEDY)


def require_transport_internals(module: ModuleType, version: str) -> None:
    """Check that both of pika's transports have every private name that we use.

    Raises:
        ImportError: one is missing; the text says which, and which pika to install.
    """
    for name in TRANSPORTS:
        transport = getattr(module, name, object)
        internals.require_internals(
            f"pika {version}", transport, attributes=TRANSPORT_ATTRIBUTES, remedy=REMEDY
        )
