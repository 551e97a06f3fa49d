"""A slip in a mail address: hinted at, unless the service exists."""

import pytest

from shared.trade.form.hints import likely_meant


@pytest.mark.parametrize(
    ("domain", "meant"),
    [("gmial.com", "gmail.com"), ("gmail.co", "gmail.com"), ("hotmal.nl", "hotmail.nl")],
)
def test_a_domain_that_is_a_letter_beside_a_common_one_is_hinted_at(
    domain: str, meant: str
) -> None:
    assert likely_meant(f"anna@{domain}") == f"anna@{meant}"


@pytest.mark.parametrize(
    "domain",
    ["ymail.com", "mail.com", "email.com", "gmx.com", "gmx.nl", "gmx.net", "gmx.de", "hotmail.no",
     "live.no", "live.be", "yahoo.co.uk", "outlook.be", "me.com", "korenaar.example", "gmail.com"],
)  # fmt: skip
def test_no_hint_leads_from_a_mail_service_that_exists_to_another(domain: str) -> None:
    assert likely_meant(f"anna@{domain}") is None
