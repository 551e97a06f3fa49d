"""The references by which banks know a mandate, and one attempt to collect under it."""


def mandate_reference(order_reference: str) -> str:
    """The mandate's own reference: at most 35 of `A-Z 0-9 -`, as banks accept everywhere."""
    return f"M{order_reference.removeprefix('O')}"


def end_to_end_id(order_reference: str, attempt: int) -> str:
    """The id of one attempt to collect, unique for ever (ISO 20022, at most 35 characters)."""
    return f"{order_reference}-{attempt}"
