"""What an earlier version wrote down for its mails, and did not send: this one can."""

from typing import Any

import pytest

from shared.notifications.messages import Mail
from shared.processing.testing import MONDAY
from tests.unit.notifications.paper import PAGES, email
from tests.unit.notifications.test_every_mail import SENT, links_of

OF_BEFORE: dict[str, dict[str, Any]] = {
    "signup_received": {
        "contact": "Anna", "company": "Bakkerij", "reference": "S-2026-000001", "kvk": None,
        "email": "a@b.example", "mobile": None, "package": ["Basis", "Module Scan"],
        "gross_cents": 1, "frequency": "yearly", "payer": "other", "office": "De Linde",
        "office_email": "k@linde.example", "iban_tail": "", "link": "https://x.example",
    },
    "signup_received_office": {
        "contact": "Anna", "company": "Bakkerij", "reference": "S-2026-000001", "kvk": None,
        "email": "a@b.example", "mobile": None, "package": ["Basis"], "has_link": False,
        "gross_cents": 1, "frequency": "yearly", "payer": "other", "office": "De Linde",
        "remarks": None, "warnings": [], "link": "https://x.example",
    },
    "signup_incomplete": {"errors": [{"field": "customer.kvk", "message": "Vul dit veld in."}]},
    "onboarding_withdrawn": {
        "reference": "S-2026-000001", "company": "Bakkerij", "has_link": False,
    },
    "customer_released": {
        "reference": "S-2026-000001", "company": "Bakkerij", "order_reference": "O-2026-000001",
        "link": "https://x.example",
    },
    "credentials_expiring": {
        "reference": "S-2026-000001", "contact": "Anna", "office": "De Linde",
        "office_email": "k@linde.example", "expires_at": MONDAY.isoformat(),
    },
    "credentials_undeliverable": {
        "reference": "S-2026-000001", "company": "Bakkerij", "channel": "sms",
    },
    **{
        kind: {
            "order_reference": "O-2026-000001", "company": "Bakkerij", "office": "De Linde",
            "office_email": "k@linde.example", "amount_cents": 1, "covered": False,
            "payer": "Anna", "payer_email": "a@b.example", "times": 1, "reminder": False,
            "not_made": False, "status": "failed", "reason_code": "AM04", "meaning": "saldo",
            "action": "Bel.", "attempt": 1,
        }
        for kind in (
            "order_confirmation", "order_confirmation_copy", "order_reminder",
            "confirmation_undeliverable", "collection_failed", "collection_failed_office",
        )
    },
}  # fmt: skip
"""What the version before this one wrote down for its mails, where that was less."""


@pytest.mark.parametrize("kind", OF_BEFORE)
def test_a_mail_that_an_earlier_version_left_waiting_can_be_sent(kind: str) -> None:
    # Given a mail that was written before this version began, When it is due,
    service = next(name for name, mails in SENT.items() if kind in {mail.kind for mail in mails})
    message = email(service, Mail(kind, "a@b.example", "nl", OF_BEFORE[kind]))
    # Then it leaves, with the links that mails have now.
    assert all(link.startswith(PAGES.base_url) for link in links_of(message))
