"""Mails by SES and texts by SNS, against moto's server."""

import socket
import threading
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from http.client import parse_headers
from pathlib import Path
from typing import Any

import boto3  # noqa: TID251  The other side of the wire.
import pytest
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from infra.composition import senders
from shared.host.settings import Settings
from shared.notifications.senders import (
    Attachment,
    Email,
    PerhapsTaken,
    ProviderUnavailable,
    SendFailed,
    Sms,
    Undeliverable,
)
from shared.notifications.senders import aws as by_aws
from shared.notifications.senders.aws import AwsClient, translate_aws_errors
from shared.notifications.senders.files import SmsFolder
from shared.notifications.senders.ses import SesSender
from shared.notifications.senders.sns import SnsSender

ACCOUNT, REGION = "123456789012", "eu-west-1"
FROM = "iMUIS Online <noreply@stappenplan.example>"
PDF = Attachment("orderbevestiging.pdf", "application/pdf", b"%PDF-1.7 ...")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    moto.start()
    host, port = moto.get_host_and_port()
    yield f"http://{host}:{port}"
    moto.stop()


@pytest.fixture
def aws(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """boto3's own settings, as an operator would set them."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    return server


@pytest.fixture
def verified(aws: str) -> str:
    client: Any = boto3.client("sesv2")
    client.create_email_identity(EmailIdentity="noreply@stappenplan.example")
    return aws


def mail(to: str = "klant@bakkerij.example") -> Email:
    return Email(
        to=to,
        subject="Order- en incassobevestiging – Café",
        text="Bedrag: € 290,40",
        html="<p>Bedrag: € 290,40</p>",
        language="nl",
        reply_to=None,
        attachments=(PDF,),
        message_key="11111111-aaaa-4aaa-8aaa-000000000001",
    )


SENDS: list[Callable[[], str]] = [
    lambda: SesSender(FROM).send(mail()),
    lambda: SnsSender("iMUIS").send(Sms("+31612345678", "geheim", "key")),
]


def test_a_mail_arrives_whole(verified: str) -> None:
    from moto.ses.models import ses_backends

    # Given a verified sender, When a mail with a document is sent,
    message_id = SesSender(FROM).send(mail())
    # Then it arrives as it was made: subject, both bodies, the document.
    messages = {message.id: message for message in ses_backends[ACCOUNT][REGION].sent_messages}
    sent = messages[message_id]
    arrived = message_from_bytes(sent.raw_data.encode(), policy=policy.default)
    assert arrived["Subject"] == "Order- en incassobevestiging – Café"
    assert set(sent.destinations) == {"klant@bakkerij.example"}
    (document,) = arrived.iter_attachments()
    assert document.get_filename() == PDF.filename
    assert document.get_payload(decode=True) == PDF.content
    for kind in ("plain", "html"):
        body = arrived.get_body((kind,))
        assert body is not None
        assert "€ 290,40" in body.get_content()


class Requests:
    """Stands for SES's client, and keeps what it is asked: moto knows no configuration sets."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def send_email(self, **request: Any) -> dict[str, str]:
        self.asked.append(request)
        return {"MessageId": "1"}


@pytest.mark.parametrize(
    ("setting", "named"), [("deliveries", {"ConfigurationSetName": "deliveries"}), ("", {})]
)
def test_the_configuration_set_is_named_to_ses_where_one_is_set(
    setting: str, named: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an installation that set where SES is to report, or did not,
    requests = Requests()
    monkeypatch.setattr(AwsClient, "get", lambda _client: requests)
    monkeypatch.setenv("STAPPENPLAN_SES_CONFIGURATION_SET", setting)
    # When a mail is handed over, Then SES is told so, or nothing of the kind.
    senders(Settings(mail="ses")).send(mail())
    (request,) = requests.asked
    name = "ConfigurationSetName"
    assert {key: value for key, value in request.items() if key == name} == named


def test_a_sender_with_any_name_is_told_to_ses_in_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a sender whose name is not in ASCII, and long,
    requests = Requests()
    monkeypatch.setattr(AwsClient, "get", lambda _client: requests)
    # When a mail is handed over, Then SES has the name on one line, as mail servers write it.
    SesSender("Administratie Café Ünlü " * 4 + "<noreply@stappenplan.example>").send(mail())
    sender = requests.asked[0]["FromEmailAddress"]
    assert sender.isascii()
    assert sender.isprintable()
    assert sender.endswith(" <noreply@stappenplan.example>")


def test_an_unverified_sender_is_refused_with_the_reason(aws: str) -> None:
    with pytest.raises((Undeliverable, SendFailed), match=r"not verified|MessageRejected"):
        SesSender("Iemand <iemand@elders.example>").send(mail())


def test_an_impossible_address_never_leaves(aws: str) -> None:
    with pytest.raises(Undeliverable):
        SesSender(FROM).send(mail("geen adres"))


def test_a_text_arrives_under_our_name(aws: str) -> None:
    from moto.sns.models import sns_backends

    # When a text is sent, Then its receiver has it.
    text = Sms("+31612345678", "iMUIS Online: login bakkerij", "key", "credentials")
    message_id = SnsSender("iMUIS").send(text)
    arrived = sns_backends[ACCOUNT][REGION].sms_messages[message_id]
    assert arrived[:2] == ("+31612345678", "iMUIS Online: login bakkerij")


@pytest.mark.parametrize("number", ["0612345678", "+31 6 12345678", "31612345678", ""])
def test_a_number_that_is_not_in_normal_form_never_leaves(
    aws: str, number: str, tmp_path: Path
) -> None:
    # Given such a number, When a text goes to it by SNS, or by the folder that stands in for it,
    # Then it is refused with the reason.
    for sender in (SnsSender("iMUIS"), SmsFolder(tmp_path / "sms")):
        with pytest.raises(Undeliverable, match=r"E\.164"):
            sender.send(Sms(number, "x", "key"))
    assert not (tmp_path / "sms").exists()


def test_a_mail_service_that_cannot_be_reached_is_a_passing_trouble(
    aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given that nothing listens, When a mail and a text are sent,
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    # Then both may be tried again, no message is to blame, and no error tells what was in it.
    for send in SENDS:
        with pytest.raises(ProviderUnavailable) as failure:
            send()
        assert "geheim" not in str(failure.value)
        assert "290" not in str(failure.value)


@pytest.mark.parametrize(
    ("code", "status", "error_class"),
    [
        ("Throttling", 400, ProviderUnavailable),
        ("SendingPausedException", 400, ProviderUnavailable),
        ("TooManyRequestsException", 429, ProviderUnavailable),
        ("AccessDeniedException", 403, ProviderUnavailable),
        ("ServiceUnavailable", 503, SendFailed),
        ("InternalFailure", 500, SendFailed),
        ("MessageRejected", 400, Undeliverable),
        ("InvalidParameter", 400, Undeliverable),
    ],
)
def test_what_the_service_says_of_itself_is_told_apart_from_what_it_says_of_a_message(
    code: str, status: int, error_class: type[Exception]
) -> None:
    # Given an answer of the service, When it is read, Then it is clear who is to blame.
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    with pytest.raises(error_class) as failure, translate_aws_errors():
        raise ClientError(response, "SendEmail")
    assert type(failure.value) is error_class


class Unanswering:
    """Stands for a service that answers nothing: it hears the whole request, or only the knock."""

    def __init__(self, *, hears: bool, hangs_up: bool) -> None:
        self._hears, self._hangs_up = hears, hangs_up
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.heard = 0
        threading.Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as told:
                if self._hears:
                    self._hear(told)
                if not self._hangs_up:
                    told.read()  # Until whoever asked gives up.

    def _hear(self, told: Any) -> None:
        told.readline()
        headers = parse_headers(told)
        told.read(int(headers.get("Content-Length", 0)))
        self.heard += 1


@pytest.fixture
def make_service(aws: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Unanswering]]:
    services: list[Unanswering] = []

    def make(*, hears: bool, hangs_up: bool) -> Unanswering:
        services.append(service := Unanswering(hears=hears, hangs_up=hangs_up))
        scheme = "http" if hears else "https"
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"{scheme}://127.0.0.1:{service.port}")
        monkeypatch.setattr(by_aws, "CONNECT_TIMEOUT_SECONDS", 0.3)
        monkeypatch.setattr(by_aws, "READ_TIMEOUT_SECONDS", 0.3)
        return service

    yield make
    for service in services:
        service.close()


@pytest.mark.parametrize("send", SENDS, ids=["a mail", "a text"])
@pytest.mark.parametrize("hangs_up", [False, True])
def test_what_a_service_heard_and_did_not_answer_may_have_arrived(
    hangs_up: bool, send: Callable[[], str], make_service: Callable[..., Unanswering]
) -> None:
    # Given a service that hears a request whole, and falls silent or hangs up,
    service = make_service(hears=True, hangs_up=hangs_up)
    # When something is handed over, Then it may have arrived, and the reason says no more of it.
    with pytest.raises(PerhapsTaken, match="it may have arrived") as failure:
        send()
    assert service.heard == 1
    assert "geheim" not in str(failure.value)


@pytest.mark.parametrize("send", SENDS, ids=["a mail", "a text"])
def test_what_a_service_never_heard_cannot_have_arrived(
    send: Callable[[], str], make_service: Callable[..., Unanswering]
) -> None:
    # Given a service that falls silent before the way to it is safe, so that nothing was told,
    make_service(hears=False, hangs_up=False)
    # When something is handed over, Then it is tried again as ever.
    with pytest.raises(SendFailed) as failure:
        send()
    assert type(failure.value) is SendFailed
    assert str(failure.value) == "ReadTimeoutError"
