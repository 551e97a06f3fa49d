"""Under whose name mails, texts and collections go out is looked at before any of them does."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.host.settings import Creditor, Settings


@pytest.mark.parametrize(
    "written",
    ["", "noreply", "a@b@c", "Naam <noreply>", "Naam <a@b.example", "é@b.example", "a@b..example",
     "a@" + "b" * 70 + ".example", "=?no-such-code?q?Naam?= <a@b.example>"],
)  # fmt: skip
def test_no_process_starts_whose_every_mail_would_be_refused(written: str) -> None:
    with pytest.raises(ValidationError, match=r"Name <address@domain\.example>"):
        Settings(mail_from=written)


@pytest.mark.parametrize(
    "written", ["a@b.example", "Kantoor é <a@b.example>", "Jansen <en> Zn <a@bücher.example>"]
)
def test_mails_may_be_from_anybody_whom_mail_servers_take(written: str) -> None:
    assert Settings(mail_from=written).mail_from == written


@pytest.mark.parametrize("written", ["ab", "a" * 12, "iM UIS", "éé1", "12345", "a\nb"])
def test_no_process_starts_whose_every_text_message_would_be_refused(written: str) -> None:
    with pytest.raises(ValidationError, match="3 to 11 letters"):
        Settings(sms_sender=written)


@pytest.mark.parametrize("written", ["", "NL00ZZZ123456780000", "NL69ZZZ12345678000"])
def test_no_process_starts_whose_every_collection_banks_would_refuse(written: str) -> None:
    with pytest.raises(ValidationError, match="creditor identifier"):
        Creditor(identifier=written)


def test_a_creditor_identifier_is_read_as_people_write_it() -> None:
    assert Creditor(identifier="nl69 ZZZ 1234 5678 0000").identifier == "NL69ZZZ123456780000"


@pytest.mark.parametrize("written", ["", "orders", "KING <orders@king.example>"])
def test_what_could_not_be_sent_is_told_to_an_address_that_there_can_be(written: str) -> None:
    with pytest.raises(ValidationError, match="an address alone"):
        Creditor(email=written)


@pytest.mark.parametrize("part", ["name", "address", "postcode", "city", "country"])
def test_no_mandate_is_signed_that_does_not_say_who_collects(part: str) -> None:
    with pytest.raises(ValidationError, match="on every mandate"):
        Creditor.model_validate({part: " "})


@pytest.mark.parametrize("setting", ["data_dir", "catalogue"])
@pytest.mark.parametrize("written", ["", " "])
def test_an_empty_path_is_not_the_folder_that_one_is_in(setting: str, written: str) -> None:
    with pytest.raises(ValidationError, match="name one, or leave it out"):
        Settings.model_validate({setting: written})


def test_the_folder_that_one_is_in_may_be_named() -> None:
    assert Settings.model_validate({"data_dir": "."}).data_dir == Path()
