"""The load: customers whose sign-up was accepted, as registration hears of them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

from infra.demo.simulators import website

GOLDEN = Path(__file__).parents[1] / "contract" / "golden" / "signup.accepted.v1.json"
ACCEPTED = "signup.accepted.v1"
NEXT = ("registration.completed.v1", "administration.created.v1")
"""What registration says upon it."""


def accepted(count: int, seed: int = 7) -> Iterator[dict[str, Any]]:
    """So many events, each about another customer, none of them flagged."""
    like: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    now = datetime.now(UTC).isoformat()
    # The shipped examples are as customers typed them; what follows them is in normal form.
    shipped = len(website.examples())
    signups = islice(website.signups(shipped + count, seed=seed), shipped, None)
    for number, signup in enumerate(signups):
        asked = signup["data"]
        data = {
            **like["data"],
            "reference": f"S-2026-{number:06}",
            "customer": asked["customer"],
            "package": asked["package"],
            "payer": asked["payer"],
            "warnings": [],
        }
        yield {**like, "id": str(uuid4()), "subject": str(uuid4()), "time": now, "data": data}
