"""By what a customer is named in a path: the onboarding id, or one of their references."""

from typing import Annotated
from uuid import UUID

from fastapi import Path

Reference = Annotated[
    str,
    Path(
        max_length=80,
        description="the onboarding id, or a reference of the customer (S-…, O-…, K-…, A-…)",
    ),
]


def as_onboarding_id(reference: str) -> str | None:
    """The onboarding id as it is stored; None where the text is no such id."""
    try:
        return str(UUID(reference.strip()))
    except ValueError:
        return None


def as_reference(reference: str) -> tuple[str, str]:
    """The series of a reference (its first letter), and the reference as it is stored."""
    stored = reference.strip().upper()
    series, hyphen, _ = stored.partition("-")
    return (series if hyphen else ""), stored
