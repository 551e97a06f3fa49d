"""Named moments between which a process may die, for the tests that make it die at each.

Here they do nothing, and there is no setting, event or request that could change that: the
product holds no code that ends the process. The tests start it through a launcher of their own
(`tests/crashes/armed.py`, which is not part of the package), which puts another `reached` in the
place of this one before anything else is imported.
"""

STEPS = (
    "inbox_claim",
    "handlers",
    "outbox_insert",
    "commit",
    "publish",
    "confirm",
    "outbox_mark",
    "acknowledge",
    "notification_claim",
    "send",
    "sent_mark",
)
"""What a message goes through, in this order."""

POINTS = tuple(f"{step}.{moment}" for step in STEPS for moment in ("before", "after"))
"""The moments before and after each step."""


def reached(_point: str) -> None:
    """A message, or a batch of them, is at this point now."""
