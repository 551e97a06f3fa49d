"""`stappenplan staff link`: a link for somebody who has no other way in."""

from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlmodel import select

from services.activation.staff.links import member_of
from shared.links import Purpose
from shared.persistence.database import Database
from shared.processing.store.tables import Act
from tests.integration.command_line.shell import Shell


def test_a_link_is_printed_alone_and_its_making_is_on_record(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    # When the administrator makes a link for somebody of the example office,
    answer = shell("staff", "link", "--name", "Anna", "--role", "activator", "--office", "0042")
    assert answer.returncode == 0, answer.stderr
    # Then it is all that is printed, and says whom it signs in,
    settings = shell.read_settings(monkeypatch)
    base, _, token = answer.stdout.strip().partition("/staff/")
    assert base == settings.base_url
    signed = settings.page_links().read(Purpose.STAFF, token, datetime.now(UTC))
    member = member_of(signed)
    assert (member.name, member.role, member.office) == ("Anna", "activator", "0042")
    # and who made it for whom is on record.
    with (
        closing(Database(settings.database_url_of("activation"))) as database,
        database.read() as session,
    ):
        (act,) = session.exec(select(Act))
    assert (act.what, act.subject) == ("staff.link", signed.claims["id"])
    assert '"name": "Anna"' in act.details or '"name":"Anna"' in act.details


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--role", "king", "--office", "0042"), "leave the office out"),
        (("--role", "activator"), "say which, by its code"),
        (("--role", "boss"), "one of office, activator, king, operator"),
        (("--role", "office", "--office", "0999"), "there is no office '0999'"),
    ],
)
def test_what_is_unclear_is_refused_with_a_sentence(
    shell: Shell, words: tuple[str, ...], sentence: str
) -> None:
    answer = shell("staff", "link", "--name", "Anna", *words)
    assert answer.returncode == 2
    assert sentence in answer.stderr
    assert answer.stdout == ""
