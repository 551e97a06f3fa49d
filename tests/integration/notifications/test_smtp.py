"""Mails through a mail server, over a real connection: taken, refused for now, refused for good."""

import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from infra.operations.doctor.sending_checks import mail as look_at_mail
from shared.host.settings import Settings
from shared.notifications.senders import (
    Email,
    PerhapsTaken,
    ProviderUnavailable,
    RefusedForNow,
    SendFailed,
    Undeliverable,
    make_senders,
)
from shared.notifications.senders.smtp_url import read_smtp_url
from tests.servers.mail_server import DIES, PASSWORD, USER, MailServer, at_work, certificate

MAIL_FROM = "iMUIS Online <noreply@stappenplan.example>"
MAIL = Email(
    to="anna@korenaar.example",
    subject="Uw inschrijving",
    text="Beste Anna,\n.\n.verborgen\nTot ziens.\n",
    html="<p>Beste Anna</p>",
    language="nl",
    reply_to="Kantoor De Linde <kantoor@linde.example>",
    attachments=(),
    message_key="mail-1",
)
ANNOUNCED = f"{USER}:{quote(PASSWORD, safe='')}@"


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate that this process trusts."""
    path = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


@pytest.fixture
def server() -> Iterator[MailServer]:
    """A server to which the way is safe without TLS."""
    with at_work(MailServer()) as office:
        yield office


def with_tls(path: Path, **told: object) -> MailServer:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    return MailServer(tls=context, wants_user=True, **told)  # type: ignore[arg-type]


def send(url: str, message: Email = MAIL) -> str:
    senders = make_senders(
        mail="smtp", data_dir=Path(), mail_from=MAIL_FROM, sms_sender="", smtp_url=url
    )
    return senders.send(message)


def plain(server: MailServer) -> str:
    return f"smtp://127.0.0.1:{server.port}?starttls=no"


def test_a_mail_arrives_as_it_was_made_and_the_servers_word_for_it_is_known(
    server: MailServer,
) -> None:
    # Given a mail with lines that mean something to a mail server, When it is handed over,
    provider_id = send(plain(server))
    # Then it is there whole, from whom and to whom it is, and can be found in the server's log.
    (taken,) = server.taken
    assert provider_id == "2.0.0 Ok: queued as 4XYZ"
    assert (taken["Subject"], taken["Reply-To"]) == ("Uw inschrijving", MAIL.reply_to)
    text = taken.get_payload(0).get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert text.replace("\r\n", "\n") == MAIL.text
    assert server.recipients == [MAIL.to]


def test_by_default_nothing_is_told_before_the_way_is_safe(trusted: Path) -> None:
    # Given a server that offers STARTTLS, and a user with a password of odd signs,
    with at_work(with_tls(trusted)) as server:
        # When a mail is handed over,
        send(f"smtp://{ANNOUNCED}127.0.0.1:{server.port}")
        # Then all that went in clear is the wish to be safe.
        assert [line.split()[0].upper() for line in server.in_clear] == ["EHLO", "STARTTLS"]
        assert len(server.taken) == 1


def test_a_server_that_is_safe_from_the_first_byte_is_spoken_to_so(trusted: Path) -> None:
    with at_work(with_tls(trusted, immediate_tls=True)) as server:
        send(f"smtps://{ANNOUNCED}127.0.0.1:{server.port}")
        assert (len(server.taken), server.in_clear) == (1, [])


def test_without_the_starttls_that_is_expected_nothing_is_sent(server: MailServer) -> None:
    # Given a server that offers no STARTTLS, or somebody in between who hides it,
    server.wants_user = True
    # When a mail is to be handed over, Then neither the password nor the mail leaves.
    with pytest.raises(ProviderUnavailable, match="SMTPNotSupportedError"):
        send(f"smtp://{ANNOUNCED}127.0.0.1:{server.port}")
    assert not {"AUTH", "MAIL"} & set(server.heard)


def test_a_server_whose_certificate_nobody_vouches_for_is_told_nothing(tmp_path: Path) -> None:
    with at_work(with_tls(certificate(tmp_path))) as server:
        with pytest.raises(ProviderUnavailable, match="SSLCertVerificationError"):
            send(f"smtp://{ANNOUNCED}127.0.0.1:{server.port}")
        assert "AUTH" not in server.heard


@pytest.mark.parametrize(
    ("at", "reply", "failure"),
    [
        ("RCPT", "550 5.1.1 no such user anna@korenaar.example", Undeliverable),
        ("MAIL", "553 5.1.8 sender not allowed", Undeliverable),
        (".", "554 5.7.1 looks like spam", Undeliverable),
        ("DATA", "554 5.5.1 no", Undeliverable),
        ("RCPT", "450 4.2.0 greylisted anna@korenaar.example", RefusedForNow),
        ("RCPT", "451 come back later", RefusedForNow),
        ("RCPT", "452 4.2.2 mailbox full", RefusedForNow),
        ("RCPT", "451 4.3.0 temporary lookup failure", SendFailed),
        ("RCPT", DIES, SendFailed),
        ("DATA", DIES, SendFailed),
        ("DATA", "250 what?", SendFailed),
        (".", "452 4.3.1 disk full", SendFailed),
        ("DATA", "451 4.3.0 not now", SendFailed),
        (".", DIES, PerhapsTaken),
        (".", "what?", PerhapsTaken),
        (".", "354 go on", PerhapsTaken),
        (".", "421 4.3.2 closing", ProviderUnavailable),
        ("RCPT", "421 4.3.2 closing", ProviderUnavailable),
        ("MAIL", "451 4.7.0 slow down", ProviderUnavailable),
        ("MAIL", "530 5.7.0 log in first", ProviderUnavailable),
        ("HELO", "554 5.3.2 not you", ProviderUnavailable),
        ("HELO", DIES, ProviderUnavailable),
    ],
)
def test_what_a_server_says_tells_whether_to_try_again(
    server: MailServer, at: str, reply: str, failure: type[Exception]
) -> None:
    # Given a server that refuses at this point, When a mail is handed over,
    server.refusals[at] = reply
    with pytest.raises((SendFailed, Undeliverable)) as refusal:
        send(plain(server))
    # Then what it said decides what becomes of the mail, and nobody is named in the reason.
    assert type(refusal.value) is failure
    assert "anna@" not in str(refusal.value)
    assert server.taken == []


def test_a_server_that_is_not_there_is_to_blame_itself(server: MailServer) -> None:
    with at_work(MailServer()) as gone:
        url = plain(gone)
    with pytest.raises(ProviderUnavailable, match="ConnectionRefusedError"):
        send(url)


def test_an_address_that_no_server_accepts_is_not_tried(server: MailServer) -> None:
    with pytest.raises(Undeliverable):
        send(plain(server), replace(MAIL, to="ännä@korenaar.example"))
    assert server.heard == []


def test_the_password_is_neither_logged_nor_told_when_it_is_wrong(trusted: Path) -> None:
    # Given a server that repeats what it was told, When the password is wrong,
    with (
        at_work(with_tls(trusted)) as server,
        capture_logs() as lines,
        pytest.raises(ProviderUnavailable) as refusal,
    ):
        send(f"smtp://{USER}:verkeerd@127.0.0.1:{server.port}")
    # Then the reason says that much, and holds neither user nor password.
    assert "SMTPAuthenticationError (535)" in str(refusal.value)
    assert "verkeerd" not in f"{refusal.value}{refusal.value.__cause__}{lines}"
    assert refusal.value.__suppress_context__


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example:587",
        "http://mail.example",
        "smtp://",
        "smtp://mail.example/inbox",
        "smtp://mail.example:poort",
        "smtp://user@mail.example",
        "smtp://user:ge#heim@mail.example",
        "smtp://user:ge/heim@mail.example",
        "smtp://mail.example?starttls=maybe",
        "smtp://mail.example?ssl=no",
        "smtps://mail.example?starttls=yes",
    ],
)
def test_an_address_that_is_unclear_is_refused_without_being_repeated(url: str) -> None:
    # Given an address that is none, or whose password hides half of it, When it is set,
    with pytest.raises(ValidationError) as refusal:
        Settings(mail="smtp", smtp_url=url)
    # Then the sentence says how to write one, and not what was written.
    assert "smtp://user:password@host:587" in str(refusal.value)
    assert "heim" not in str(refusal.value)


def test_an_address_says_what_it_means_and_never_shows_its_password() -> None:
    server = read_smtp_url(f"smtp://{ANNOUNCED}mail.example")
    assert (server.port, server.starttls, server.tls) == (587, True, False)
    assert (server.user, server.password) == (USER, PASSWORD)
    settings = Settings(mail="smtp", smtp_url=f"smtp://{ANNOUNCED}mail.example")
    for shown in (repr(server), server.name, repr(settings), str(settings)):
        assert PASSWORD not in shown
        assert quote(PASSWORD, safe="") not in shown
    assert read_smtp_url("smtps://mail.example").port == 465
    assert read_smtp_url("smtp://[::1]:25?starttls=no").name == "smtp://[::1]:25"


def test_the_doctor_tries_the_server_and_says_what_to_do(trusted: Path) -> None:
    # Given a server, When the doctor looks at it with the right password and with a wrong one,
    with at_work(with_tls(trusted)) as server:
        good, bad = (
            next(look_at_mail(Settings(mail="smtp", smtp_url=url)))
            for url in (
                f"smtp://{ANNOUNCED}127.0.0.1:{server.port}",
                f"smtp://{USER}:verkeerd@127.0.0.1:{server.port}",
            )
        )
    # Then the one is well, the other has its reason and a remedy, and no mail was sent.
    assert good.ok
    assert f"smtp://127.0.0.1:{server.port}" in good.finding
    assert (bad.ok, "SMTP_URL" in bad.advice) == (False, True)
    assert "verkeerd" not in str(bad)
    assert server.taken == []


def test_the_doctor_warns_of_a_password_that_travels_in_clear(server: MailServer) -> None:
    server.wants_user = True
    url = f"smtp://{ANNOUNCED}127.0.0.1:{server.port}?starttls=no"
    finding = next(look_at_mail(Settings(mail="smtp", smtp_url=url)))
    assert (finding.ok, finding.warning) == (True, True)
