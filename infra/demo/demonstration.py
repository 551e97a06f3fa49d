"""The demonstration: customers go through all seven steps, and each step is told as it happens.

It plays everyone outside: the office's website, the office's staff, the payers who sign, KING who
collects, and the customers who log in. All of them use nothing but the public contract.
"""

import json
import re
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import httpx

from infra.demo.simulators import website
from infra.demo.simulators.king import KingBilling
from shared.base.errors import StappenplanError
from shared.messaging.bus import Bus, Outgoing, PublishResult
from shared.trade.calendar import business_day
from shared.web.auth import issue_token

PEOPLE = 6
LETTERS = "*-credentials-*"
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
SCOPES = (
    "offices:manage",
    "registrations:review",
    "onboardings:read",
    "orders:read",
    "orders:confirm",
    "users:activate",
)
"""What those whom it plays may do, all together."""

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
    """Plays everyone outside for a number of customers.

    `addresses` says where each service listens: all at one address, or each at its own.
    """

    def __init__(
        self, addresses: Mapping[str, str], key: str, data_dir: Path, king: KingBilling
    ) -> None:
        token = issue_token(key, SCOPES, known=SCOPES, name="demo", all_offices=True, days=1)
        headers = {"Authorization": f"Bearer {token}"}
        self._lines = {
            service: httpx.Client(base_url=address, headers=headers, timeout=30)
            for service, address in addresses.items()
        }
        self._data_dir = data_dir
        self._king = king
        self._read: set[Path] = set()
        self._letters: list[str] = []
        # A few at a time act for all the customers and staff there are.
        self._people = ThreadPoolExecutor(PEOPLE)
        self.journeys: dict[str, Journey] = {}
        self.order_references: dict[str, str] = {}

    def require_office(self, code: str) -> None:
        """Have KING's back office enter the accounting office, unless it is there."""
        if any(row["code"] == code for row in self._list("signup", "/api/offices")):
            return
        name, email = f"Administratiekantoor {code}", f"kantoor-{code}@voorbeeld.example"
        office = {"name": name, "email": email, "language": "nl", "review": "flagged"}
        # Some of its customers have it pay for them, as those of the example office do.
        office["pays_for_customers"] = "yes"
        self._send("PUT", "signup", f"/api/offices/{code}", office)

    def emit(self, bus: Bus, documents: list[website.Document]) -> None:
        """Publish sign-ups, as the website does.

        Raises:
            StappenplanError: the broker did not take them.
        """
        messages = []
        for document in documents:
            data = document["data"]
            channel = data.get("preferred_channel", "email")
            journey = Journey(document["subject"], data["customer"]["company"], channel)
            self.journeys[journey.onboarding_id] = journey
            body = json.dumps(document).encode()
            messages.append(Outgoing(document["id"], document["type"], body))
        results = bus.publish(messages).result(timeout=120)
        if any(result is not PublishResult.CONFIRMED for result in results):
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
        return [
            journey
            for journey in self.journeys.values()
            if not journey.complete and not journey.rejected
        ]

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
        self._people.shutdown()
        for line in self._lines.values():
            line.close()

    # One look around.

    def _round(self, tell: Tell) -> int:
        rows = list(self._mine())
        moved = sum(self._note(row, tell) for row in rows)
        self._read_letters()
        return moved + sum(self._people.map(self._act, rows))

    def _mine(self) -> Iterator[dict[str, Any]]:
        for row in self._list("activation", "/api/onboardings"):
            if row["onboarding_id"] in self.journeys:
                yield row

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
            journey.rejected = row["blockers"][0]["text"].partition(": ")[2]
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
        path = f"/api/registrations/{row['onboarding_id']}/register"
        return self._send("POST", "registration", path, {})

    def _sign(self, row: dict[str, Any], journey: Journey) -> bool:
        path = f"/api/orders/{row['order_reference']}"
        body = {
            "method": "post",
            "signed_on": business_day(datetime.now(UTC)).isoformat(),
            "signed_by": journey.company[:100],
        }
        if self._get("billing", path)["mandate"]["iban_ends_with"] is None:
            body |= {"iban": IBAN_OF_THE_SIGNED_FORM, "account_holder": journey.company[:100]}
        return self._send("POST", "billing", f"{path}/signature", body)

    def _activate(self, row: dict[str, Any], journey: Journey) -> bool:
        path = f"/api/activations/{row['onboarding_id']}"
        return self._send("POST", "activation", path, {"channel": journey.channel})

    def _log_in(self, row: dict[str, Any], _journey: Journey) -> bool:
        name = row["login_name"]
        password = self._password_of(name)
        if password is None:
            return False
        self._send("POST", "activation", "/api/login", {"login_name": name, "password": password})
        change = {
            "login_name": name,
            "current_password": password,
            "new_password": OWN_PASSWORD,
        }
        return self._send("POST", "activation", "/api/password", change)

    def _read_letters(self) -> None:
        """Look into the mailboxes and phones, as the customers do."""
        files = [*self._data_dir.glob(f"sms/{LETTERS}"), *self._data_dir.glob(f"mail/{LETTERS}")]
        for path in sorted(file for file in files if file not in self._read):
            self._read.add(path)
            self._letters.append(_words(path))

    def _password_of(self, login_name: str) -> str | None:
        """The newest counts: a message that is sent again makes the former password void."""
        for words in reversed(self._letters):
            match = PASSWORD.search(words)
            if match and re.search(rf"(?<![\w.-]){re.escape(login_name)}(?![\w-])", words):
                return match.group(1)
        return None

    # Calls.

    def _get(self, service: str, path: str) -> Any:
        answer = self._lines[service].get(path)
        _require_success(answer)
        return answer.json()

    def _list(self, service: str, path: str) -> Iterator[dict[str, Any]]:
        """The rows of a list, page after page."""
        page = f"{path}?limit={PAGE}"
        while page:
            answer = self._lines[service].get(page)
            _require_success(answer)
            yield from answer.json()
            page = answer.links.get("next", {}).get("url", "")

    def _send(self, method: str, service: str, path: str, body: dict[str, Any]) -> bool:
        _require_success(self._lines[service].request(method, path, json=body))
        return True


def _words(path: Path) -> str:
    """What a person reads of a mail or a text message."""
    if path.suffix == ".txt":
        return path.read_text(encoding="utf-8")
    mail = message_from_bytes(path.read_bytes(), policy=policy.default)
    body = mail.get_body(("plain",))
    return str(body.get_content()) if body is not None else ""


def _require_success(answer: httpx.Response) -> None:
    if answer.is_error:
        asked = answer.request
        raise StappenplanError(
            f"{asked.method} {asked.url.path} answered {answer.status_code}: {answer.text[:300]}"
        )
