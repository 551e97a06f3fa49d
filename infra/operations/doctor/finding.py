"""What a check tells."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One check: what was found, and what to do when it is not good."""

    check: str
    ok: bool
    finding: str
    advice: str = ""
