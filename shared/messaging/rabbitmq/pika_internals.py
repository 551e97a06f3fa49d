"""The private names of pika that `connection` stands on; pika promises nothing about them."""

from shared.base import internals

METHODS = ("_adapter_emit_data", "_on_data_available", "_process_frame", "_terminate_stream")
"""Methods of pika's connection that we override or call."""

ATTRIBUTES = ("_body_max_length", "_frame_buffer", "_transport")
"""Attributes that pika gives each connection, and that we read or write."""

SUPPORTED = "pika>=1.4.4,<1.5"


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
        remedy=f"install {SUPPORTED} (see pyproject.toml)",
    )
