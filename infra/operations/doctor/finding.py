"""What a check tells."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One check: what was found, and what to do when it is not good.

    A `warning` is good today; what to do about it can wait a few days.
    """

    check: str
    ok: bool
    finding: str
    advice: str = ""
    warning: bool = False
