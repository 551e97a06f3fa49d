"""One running system, and payers in front of the page that their mail leads to."""

import email
import email.policy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlmodel import select

from services.billing.models import OnlineSigning, Order
from shared.host.settings import Settings
from shared.links import Purpose
from shared.notifications.tables import Notification
from tests.e2e.stage import Stage, one_process
from tests.integration.http.conftest import Api
from tests.servers.premises import wait_until
from tests.visitors import Visitor

CODE = re.compile(r"^\s*(\d{6})\s*$", re.MULTILINE)
SIGNED = {"signed_by": "J. Voorbeeld", "place": "Utrecht", "accepted": "yes", "shown_in": "nl"}
"""What a payer fills in whose account is known."""


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The embedded default, with a KING that does nothing by itself."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("payer"), http_port=0, log_level="error")
    with one_process(settings, simulate_king=False) as stage:
        yield stage


@pytest.fixture(scope="package")
def business_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The same, where mandates are those between businesses."""
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("payer-b2b"),
        http_port=0,
        log_level="error",
        mandate_scheme="B2B",
    )
    with one_process(settings, simulate_king=False) as stage:
        yield stage


@pytest.fixture(scope="package")
def api(stage: Stage) -> Api:
    return Api(stage)


@dataclass
class Payer:
    """Somebody who holds the link to one order, and what stands in the database about it."""

    api: Api
    visitor: Visitor
    onboarding_id: str
    reference: str
    issued_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def path(self) -> str:
        """The page that the link opens."""
        return self.visitor.site.links.path(Purpose.SIGN, self.onboarding_id, self.issued_at)

    def open(self, below: str = "", **query: str) -> httpx.Response:
        return self.visitor.get(f"{self.path}{below}", **query)

    def post(self, below: str, fields: dict[str, Any] | None = None, **more: Any) -> httpx.Response:
        return self.visitor.post(f"{self.path}{below}", fields, **more)

    def send_scan(self, content: bytes, name: str = "scan.pdf", **more: Any) -> httpx.Response:
        return self.visitor.http.post(
            f"{self.path}/scan",
            data={"form_key": str(uuid4())} | more,
            files={"scan": (name, content, "application/octet-stream")},
            headers={"Sec-Fetch-Site": "same-origin"},
        )

    def order(self) -> Order:
        order = self.find_order()
        assert order is not None
        return order

    def find_order(self) -> Order | None:
        with self.api.stage.databases()["billing"].read() as session:
            return session.get(Order, self.onboarding_id)

    def signings(self) -> list[OnlineSigning]:
        with self.api.stage.databases()["billing"].read() as session:
            query = select(OnlineSigning).where(OnlineSigning.onboarding_id == self.onboarding_id)
            return list(session.exec(query))

    def queued(self, kind: str) -> list[Notification]:
        """The mails of one kind as they stand in the queue."""
        with self.api.stage.databases()["billing"].read() as session:
            query = select(Notification).where(Notification.onboarding_id == self.onboarding_id)
            return [mail for mail in session.exec(query) if mail.kind == kind]

    def mails(self, kind: str) -> list[str]:
        """The texts of the mails of one kind about this order, the oldest first."""
        found = []
        folder = self.api.stage.settings.data_dir / "mail"
        for path in sorted(folder.glob(f"*-{kind}-*.eml")):
            mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            if self.reference in str(mail["subject"]):
                body = mail.get_body(("plain",))
                found.append(body.get_content() if body is not None else "")
        return found

    def mailed_code(self, number: int = 1) -> str:
        """The code in the mail of this number."""
        wait_until(lambda: len(self.mails("signing_code")) >= number, "the code was mailed", 20)
        found = CODE.search(self.mails("signing_code")[number - 1])
        assert found is not None
        return found[1]

    def move_back(self, minutes: int) -> None:
        """Have it that the codes so far were asked for, and sent, so much earlier."""
        self.mailed_code(sum(signing.codes for signing in self.signings()))
        earlier = timedelta(minutes=minutes)
        with self.api.stage.databases()["billing"].begin() as session:
            query = select(OnlineSigning).where(OnlineSigning.onboarding_id == self.onboarding_id)
            for signing in session.exec(query):
                signing.asked_at -= earlier
                if signing.code_expires_at is not None:
                    signing.code_expires_at -= earlier
                session.add(signing)

    def prepare(self, **changes: Any) -> httpx.Response:
        """Fill in the form to sign online."""
        return self.post("/online", SIGNED | changes)

    def enter(self, page: httpx.Response, code: str) -> httpx.Response:
        """Fill in a code on the page that asks for it."""
        return self.visitor.post(page.url.path, code=code)


Paying = Callable[..., Payer]


@pytest.fixture
def payer(stage: Stage, api: Api) -> Paying:
    """Somebody who is asked to sign, for a customer who resembles no other."""

    def asked(**changes: Any) -> Payer:
        return payer_on(stage, api, **changes)

    return asked


def payer_on(stage: Stage, api: Api, **changes: Any) -> Payer:
    """The same on any stage."""
    onboarding_id = api.sign_up(**changes)
    reference = api.order_of(onboarding_id)
    visitor = Visitor(stage.settings, stage.addresses["billing"])
    # They chose Dutch, whichever language the example customers have.
    visitor.http.cookies.set(visitor.site.cookie("language"), "nl")
    return Payer(api, visitor, onboarding_id, reference)
