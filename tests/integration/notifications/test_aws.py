"""Mails by SES and texts by SNS, against moto's server."""

from collections.abc import Iterator
from email import message_from_bytes, policy
from typing import Any

import boto3  # noqa: TID251  The other side of the wire.
import pytest
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from shared.notifications.aws import told_apart
from shared.notifications.letters import Attachment, Email, Sms
from shared.notifications.senders import SendFailed, SendRefused, SentAway
from shared.notifications.ses import SesSender
from shared.notifications.sns import SnsSender

ACCOUNT, REGION = "123456789012", "eu-west-1"
FROM = "iMUIS Online <noreply@stappenplan.example>"
PDF = Attachment("orderbevestiging.pdf", "application/pdf", b"%PDF-1.7 ...")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    made = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    made.start()
    host, port = made.get_host_and_port()
    yield f"http://{host}:{port}"
    made.stop()


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


def test_a_mail_arrives_whole(verified: str) -> None:
    from moto.ses.models import ses_backends

    # Given a verified sender, When a mail with a document is sent,
    message_id = SesSender(FROM).send(mail())
    # Then it arrives as it was made: subject, both bodies, the document.
    sent = {one.id: one for one in ses_backends[ACCOUNT][REGION].sent_messages}[message_id]
    arrived = message_from_bytes(sent.raw_data.encode(), policy=policy.default)
    assert arrived["Subject"] == "Order- en incassobevestiging – Café"
    assert set(sent.destinations) == {"klant@bakkerij.example"}
    (document,) = arrived.iter_attachments()
    assert document.get_filename() == PDF.filename
    assert document.get_payload(decode=True) == PDF.content
    bodies = [arrived.get_body((kind,)).get_content() for kind in ("plain", "html")]
    assert all("€ 290,40" in one for one in bodies)


def test_an_unverified_sender_is_refused_with_the_reason(aws: str) -> None:
    with pytest.raises((SendRefused, SendFailed), match=r"not verified|MessageRejected"):
        SesSender("Iemand <iemand@elders.example>").send(mail())


def test_an_impossible_address_never_leaves(aws: str) -> None:
    with pytest.raises(SendRefused):
        SesSender(FROM).send(mail("geen adres"))


def test_a_text_arrives_under_our_name(aws: str) -> None:
    from moto.sns.models import sns_backends

    # When a text is sent, Then its receiver has it.
    text = Sms("+31612345678", "iMUIS Online: login bakkerij", "key", "credentials")
    message_id = SnsSender("iMUIS").send(text)
    arrived = sns_backends[ACCOUNT][REGION].sms_messages[message_id]
    assert arrived[:2] == ("+31612345678", "iMUIS Online: login bakkerij")


@pytest.mark.parametrize("number", ["0612345678", "+31 6 12345678", "31612345678", ""])
def test_a_number_that_is_not_in_normal_form_never_leaves(aws: str, number: str) -> None:
    with pytest.raises(SendRefused, match=r"E\.164"):
        SnsSender("iMUIS").send(Sms(number, "x", "key"))


def test_a_mail_service_that_cannot_be_reached_is_a_passing_trouble(
    aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given that nothing listens, When a mail and a text are sent,
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    # Then both may be tried again, no letter is to blame, and neither error tells what was in them.
    for send in (
        lambda: SesSender(FROM).send(mail()),
        lambda: SnsSender("iMUIS").send(Sms("+31612345678", "geheim", "key")),
    ):
        with pytest.raises(SentAway) as failure:
            send()
        assert "geheim" not in str(failure.value)
        assert "290" not in str(failure.value)


@pytest.mark.parametrize(
    ("code", "status", "meant"),
    [
        ("Throttling", 400, SentAway),
        ("SendingPausedException", 400, SentAway),
        ("TooManyRequestsException", 429, SentAway),
        ("AccessDeniedException", 403, SentAway),
        ("ServiceUnavailable", 503, SendFailed),
        ("InternalFailure", 500, SendFailed),
        ("MessageRejected", 400, SendRefused),
        ("InvalidParameter", 400, SendRefused),
    ],
)
def test_what_the_service_says_of_itself_is_told_apart_from_what_it_says_of_a_letter(
    code: str, status: int, meant: type[Exception]
) -> None:
    # Given an answer of the service, When it is read, Then it is known who is to blame.
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    with pytest.raises(meant) as found, told_apart():
        raise ClientError(answer, "SendEmail")
    assert type(found.value) is meant
