"""The demonstration: customers go through all seven steps, and each step is told as it happens.

It plays everyone outside: the office's website, the office's staff, the payers who sign, KING who
collects, and the customers who log in. All of them use nothing but the public contract.
"""

import json
import re
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from infra.simulators import website
from infra.simulators.king import KingBilling
from shared.auth import issue_token
from shared.errors import StappenplanError
from shared.messaging.bus import Bus, Outgoing, Receipt

PASSWORD = re.compile(r"\b([2-9a-hj-km-np-z]{4}(?:-[2-9a-hj-km-np-z]{4}){3})\b")
IBAN_OF_THE_SIGNED_FORM = website.dutch_iban("RABO", 123456789)
OWN_PASSWORD = "een-heel-eigen-zin-2026"  # noqa: S105 - the demonstration's customers share it.
PAGE = 500
STEP_TEXTS = {
    "INSCHRIJVEN": "signed up",
    "AANMELDEN": "registered with KING",
    "INRICHTEN": "administration copied",
    "BEVESTIGEN": "confirmation signed",
    "VRIJGEVEN": "collected and released",
    "ACTIVEREN": "credentials sent",
    "INLOGGEN": "logged in",
}

Tell = Callable[[str, str, str], None]
"""Told of each step as it happens: the company, the step, what happened."""


@dataclass
class Journey:
    """One customer's way, as the demonstration sees it."""

    onboarding_id: str
    company: str
    channel: str
    done: dict[str, str] = field(default_factory=dict)
    rejected: str | None = None
    asked: set[str] = field(default_factory=set)

    @property
    def complete(self) -> bool:
        """Whether the customer has logged in."""
        return len(self.done) == len(STEP_TEXTS)


class Demonstration:
    """Plays everyone outside for a number of customers."""

    def __init__(self, base_url: str, key: str, data_dir: Path, king: KingBilling) -> None:
        scopes = [
            "registrations:review",
            "onboardings:read",
            "orders:read",
            "orders:confirm",
            "users:activate",
        ]
        token = issue_token(key, scopes, name="demo", days=1)
        self._http = httpx.Client(
            base_url=base_url, headers={"Authorization": f"Bearer {token}"}, timeout=30
        )
        self._data_dir = data_dir
        self._king = king
        self._read: set[Path] = set()
        self._passwords: dict[str, str] = {}
        self.journeys: dict[str, Journey] = {}
        self.order_references: dict[str, str] = {}

    def emit(self, bus: Bus, documents: list[website.Document]) -> None:
        """Publish sign-ups, as the website does.

        Raises:
            StappenplanError: the broker did not take them.
        """
        messages = []
        for one in documents:
            customer = one["data"]["customer"]
            channel = one["data"].get("preferred_channel", "email")
            journey = Journey(one["subject"], customer["company"], channel)
            self.journeys[journey.onboarding_id] = journey
            messages.append(Outgoing(one["id"], one["type"], json.dumps(one).encode()))
        receipts = bus.publish(messages).result(timeout=120)
        if any(one is not Receipt.CONFIRMED for one in receipts):
            raise StappenplanError("the broker did not take the sign-ups; see `stappenplan doctor`")

    def play(self, tell: Tell, patience: float) -> None:
        """Do what is due for everyone, until all have arrived or nothing moves for a while."""
        moved = time.monotonic()
        while self.underway and time.monotonic() - moved < patience:
            if self._round(tell):
                moved = time.monotonic()
            else:
                time.sleep(0.02)  # A person would look again a little later.

    @property
    def underway(self) -> list[Journey]:
        """Those who have neither arrived nor been rejected."""
        return [one for one in self.journeys.values() if not one.complete and not one.rejected]

    def release_seconds(self) -> list[float]:
        """For each released customer, the time from KING's report to the release."""
        released = {
            reference: datetime.fromisoformat(self.journeys[onboarding].done["VRIJGEVEN"])
            for onboarding, reference in self.order_references.items()
            if "VRIJGEVEN" in self.journeys[onboarding].done
        }
        return [
            (released[reference] - reported).total_seconds()
            for reference, reported in self._king.reported_at.items()
            if reference in released
        ]

    def median_release_seconds(self) -> float:
        """The median time from payment to release, in seconds."""
        times = self.release_seconds()
        return statistics.median(times) if times else 0.0

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    # One look around.

    def _round(self, tell: Tell) -> int:
        rows = list(self._mine())
        moved = sum(self._note(row, tell) for row in rows)
        for row in rows:
            moved += self._act(row)
        return moved

    def _mine(self) -> Iterator[dict[str, Any]]:
        offset = 0
        while True:
            page = self._get("/api/onboardings", limit=PAGE, offset=offset)
            for row in page:
                if row["onboarding_id"] in self.journeys:
                    yield row
            if len(page) < PAGE:
                return
            offset += PAGE

    def _note(self, row: dict[str, Any], tell: Tell) -> int:
        journey = self.journeys[row["onboarding_id"]]
        news = 0
        for step in row["steps"]:
            if step["status"] == "done" and step["step"] not in journey.done:
                journey.done[step["step"]] = step["at"] or datetime.now(UTC).isoformat()
                tell(journey.company, step["step"], STEP_TEXTS[step["step"]])
                news += 1
        first = row["steps"][0]
        if first["status"] == "failed" and journey.rejected is None:
            journey.rejected = row["blockers"][0]["text"]
            tell(journey.company, first["step"], f"rejected: {journey.rejected}")
            news += 1
        if row["order_reference"]:
            self.order_references[journey.onboarding_id] = row["order_reference"]
        return news

    def _act(self, row: dict[str, Any]) -> int:
        """Do what the checklist says is somebody's turn; each thing is asked once."""
        journey = self.journeys[row["onboarding_id"]]
        if journey.complete or journey.rejected:
            return 0
        acted = 0
        for blocker in row["blockers"]:
            action = {
                "review": self._register,
                "signature_missing": self._sign,
                "ready_to_activate": self._activate,
                "login_expected": self._log_in,
            }.get(blocker["code"])
            if action and blocker["code"] not in journey.asked and action(row, journey):
                journey.asked.add(blocker["code"])
                acted += 1
        return acted

    def _register(self, row: dict[str, Any], _journey: Journey) -> bool:
        return self._post(f"/api/registrations/{row['onboarding_id']}/register", {})

    def _sign(self, row: dict[str, Any], journey: Journey) -> bool:
        body = {
            "method": "post",
            "signed_on": datetime.now(UTC).date().isoformat(),
            "signed_by": journey.company[:100],
        }
        order = self._get(f"/api/orders/{row['order_reference']}")
        if order["mandate"]["iban_ends_with"] is None:
            body |= {"iban": IBAN_OF_THE_SIGNED_FORM, "account_holder": journey.company[:100]}
        return self._post(f"/api/orders/{row['order_reference']}/signature", body)

    def _activate(self, row: dict[str, Any], journey: Journey) -> bool:
        path = f"/api/activations/{row['onboarding_id']}"
        return self._post(path, {"channel": journey.channel})

    def _log_in(self, row: dict[str, Any], _journey: Journey) -> bool:
        name = row["login_name"]
        if name not in self._passwords:
            self._read_messages()
        password = self._passwords.get(name)
        if password is None:
            return False
        self._post("/api/login", {"login_name": name, "password": password})
        change = {
            "login_name": name,
            "current_password": password,
            "new_password": OWN_PASSWORD,
        }
        return self._post("/api/password", change)

    def _read_messages(self) -> None:
        """Look into the mailboxes and phones, as the customers do."""
        files = [*self._data_dir.glob("sms/*.txt"), *self._data_dir.glob("mail/*.eml")]
        for path in sorted(one for one in files if one not in self._read):
            self._read.add(path)
            words = path.read_text(encoding="utf-8", errors="replace").replace("=\n", "")
            found = PASSWORD.search(words)
            if found:
                for row in self._mine():
                    if row["login_name"] and row["login_name"] in words:
                        self._passwords[row["login_name"]] = found.group(1)

    def _get(self, path: str, **query: Any) -> Any:
        answer = self._http.get(path, params=query)
        if answer.status_code != 200:
            raise StappenplanError(f"GET {path} answered {answer.status_code}: {answer.text[:300]}")
        return answer.json()

    def _post(self, path: str, body: dict[str, Any]) -> bool:
        answer = self._http.post(path, json=body)
        if answer.status_code >= 400:
            raise StappenplanError(
                f"POST {path} answered {answer.status_code}: {answer.text[:300]}"
            )
        return True
