"""The private names of pika that `connection` stands on.

pika promises nothing about them. So a release without one of them is named when the program
starts, with what to do about it, and not found out when the first message comes.
"""

from types import FunctionType

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
    named = _names_in_code(connection_class)
    missing = [name for name in METHODS if not callable(getattr(connection_class, name, None))]
    missing += [name for name in ATTRIBUTES if name not in named]
    if missing:
        raise ImportError(
            f"pika {version} has no {connection_class.__name__}.{missing[0]}, which Stappenplan "
            f"uses: install {SUPPORTED} (see pyproject.toml)"
        )


def _names_in_code(connection_class: type) -> set[str]:
    """Every name in the code of a class: what its methods set on `self` is no member of it."""
    return {
        name
        for base in connection_class.__mro__
        for member in vars(base).values()
        if isinstance(member, FunctionType)
        for name in member.__code__.co_names
    }
