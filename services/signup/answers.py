"""What whoever sends a sign-up is told of it."""

from dataclasses import dataclass
from datetime import datetime

from shared.processing import Answer


@dataclass(frozen=True, slots=True)
class Accepted(Answer):
    """By what an accepted sign-up is known to people, and since when."""

    reference: str
    submitted_at: datetime
