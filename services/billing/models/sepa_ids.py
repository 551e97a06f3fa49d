"""The references of orders, and those by which banks know a mandate and an attempt to collect."""

from datetime import date

ORDERS = "order"
"""The series that an order's number is of."""


def order_reference(placed_on: date, number: int) -> str:
    """The reference of an order, by which people and KING know it."""
    return f"O-{placed_on.year}-{number:06d}"


def mandate_reference(order_reference: str) -> str:
    """The mandate's own reference: at most 35 of `A-Z 0-9 -`, as banks accept everywhere."""
    return f"M{order_reference.removeprefix('O')}"


def end_to_end_id(order_reference: str, attempt: int) -> str:
    """The id of one attempt to collect, unique for ever (ISO 20022, at most 35 characters)."""
    return f"{order_reference}-{attempt}"


def is_ours(end_to_end: str, order_reference: str) -> bool:
    """Whether this id was given out by `end_to_end_id`, and so names one collection alone.

    Banks fill in `NOTPROVIDED` where there is none, and KING may have ids of its own.
    """
    prefix, _, attempt = end_to_end.rpartition("-")
    return prefix == order_reference and attempt.isascii() and attempt.isdigit()
