"""Credentials by text message: one part says all that somebody needs to log in."""

import pytest

from shared.notifications.messages import Mail
from shared.notifications.rendering.gsm7 import SINGLE_PART_SEPTETS, TextTooLong
from shared.processing.testing import MONDAY
from tests.unit.notifications.paper import text_message
from tests.unit.notifications.test_every_mail import SECRETS

LONGEST_NAME = "internationale.scheepv99"


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize(
    "base_url",
    ["http://127.0.0.1:8080", "https://klanten.administratiekantoor-voorbeeld.example"],
)
def test_credentials_fit_into_one_text_message_that_says_where_to_log_in(
    language: str, base_url: str
) -> None:
    # Given the longest login name there can be, on the day with the longest name, and an address,
    expires_at = MONDAY.replace(month=9, day=30)
    mail = Mail("credentials", "+31612345678", "nl", {"attempt": 1, "login_name": LONGEST_NAME})
    secrets = SECRETS | {"expires_at": expires_at}
    # When the text is rendered,
    sms = text_message("activation", mail, secrets, base_url, language=language, channel="sms")
    # Then it is one part, with address, name and password in it.
    assert len(sms.text) <= SINGLE_PART_SEPTETS
    for part in (f"{base_url.removeprefix('https://')}/login", "abcd-efgh-jkmn-pqrs", LONGEST_NAME):
        assert part in sms.text


def test_a_text_message_is_never_cut_short() -> None:
    # Given an address that nothing can be said beside, When credentials are rendered,
    mail = Mail("credentials", "+31612345678", "nl", {"attempt": 1, "login_name": LONGEST_NAME})
    with pytest.raises(TextTooLong):
        # Then they do not leave: half a password is none.
        text_message("activation", mail, SECRETS, f"https://{'a' * 99}.example", channel="sms")
