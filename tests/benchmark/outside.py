"""Everyone outside, during the drill: a website, payers who read their mail and sign, KING."""

import json
import re
import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from typing import Any

import httpx

from infra.demo.simulators import website
from shared.messaging.bus import Bus, Outgoing, PublishResult
from shared.trade.calendar import business_day

AT_ONCE = 4
"""So many payers' signatures are entered at the same time."""
NAME = re.compile(r"[^-]+-(?P<kind>[a-z_]+)-(?P<key>[0-9a-f-]{36})\.eml")
DOCUMENT = re.compile(rb"orderbevestiging-(O-\d{4}-\d+)\.pdf")
TO_SIGN = "order_confirmation"


def submit(line: Bus, count: int) -> None:
    """Publish so many sign-ups as a website does, each confirmed by the broker."""
    shipped = len(website.examples())
    # The shipped examples show odd cases, which wait for people; the others go straight through.
    made = islice(website.signups(shipped + count, seed=11), shipped, None)
    for first in range(0, count, 1000):
        messages = []
        for number, document in enumerate(islice(made, 1000), start=first):
            # Among many made-up numbers some would be alike, and such customers are reviewed.
            document["data"]["customer"]["kvk"] = f"{10_000_000 + number:08d}"
            body = json.dumps(document).encode()
            messages.append(Outgoing(document["id"], document["type"], body))
        if set(line.publish(messages).result(120)) != {PublishResult.CONFIRMED}:
            raise RuntimeError("the broker did not take the sign-ups")


class Payers:
    """Read each mail once, throw it away, and sign what comes with it to be signed."""

    def __init__(self, mailbox: Path, billing: str, token: str) -> None:
        """`billing` is where its HTTP is: host and port."""
        self._mailbox = mailbox
        self._billing = billing
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._hand = threading.local()
        self._hands = ThreadPoolExecutor(AT_ONCE)
        self._signing: list[Future[None]] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.received: Counter[str] = Counter()
        self._seen: set[str] = set()
        self.doubled = 0

    def start(self) -> None:
        """Begin to look into the mailbox."""
        self._thread.start()

    def stop(self) -> None:
        """Read what is left, and look no more."""
        self._stopping.set()
        self._thread.join(60)
        self._hands.shutdown()

    def _run(self) -> None:
        while not self._stopping.wait(0.2):
            self._read_all()
        self._read_all()

    def _read_all(self) -> None:
        if not self._mailbox.exists():
            return
        for path in sorted(self._mailbox.glob("*.eml")):
            found = NAME.fullmatch(path.name)
            if found is None:
                raise ValueError(f"no mail of ours: {path.name}")
            self._note(found["kind"], found["key"], path)
            path.unlink()
        for signing in [signing for signing in self._signing if signing.done()]:
            signing.result()
            self._signing.remove(signing)

    def _note(self, kind: str, key: str, path: Path) -> None:
        if key in self._seen:
            self.doubled += 1
            return
        self._seen.add(key)
        self.received[kind] += 1
        if kind == TO_SIGN:
            reference = DOCUMENT.search(path.read_bytes())
            if reference is None:
                raise ValueError("a confirmation came without its document")
            self._signing.append(self._hands.submit(self._sign, reference[1].decode()))

    def _sign(self, reference: str) -> None:
        body = {
            "method": "post",
            "signed_on": business_day(datetime.now(UTC)).isoformat(),
            "signed_by": "De betaler",
        }
        # Payers are other people's machines: what they take of ours should be next to nothing.
        if not hasattr(self._hand, "line"):
            self._hand.line = HTTPConnection(self._billing, timeout=60)
        path = f"/api/orders/{reference}/signature"
        self._hand.line.request("POST", path, json.dumps(body), self._headers)
        answer = self._hand.line.getresponse()
        told = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{answer.status} upon a signature: {told.decode()}")


def open_office(signup: str, token: str, body: Mapping[str, Any]) -> None:
    """Have KING's back office enter the accounting office of the examples."""
    headers = {"Authorization": f"Bearer {token}"}
    httpx.put(f"{signup}/api/offices/0042", json=body, headers=headers).raise_for_status()
