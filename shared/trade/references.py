"""By what people name a customer: the onboarding id, or one of their references."""

from shared.base.ids import read_uuid


def as_onboarding_id(reference: str) -> str | None:
    """The onboarding id as it is stored; None where the text is no such id."""
    return read_uuid(reference.strip())


def as_reference(reference: str) -> tuple[str, str]:
    """The series of a reference (its first letter), and the reference as it is stored."""
    stored = reference.strip().upper()
    series, hyphen, _ = stored.partition("-")
    return (series if hyphen else ""), stored
