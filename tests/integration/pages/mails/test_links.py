"""Every link in every mail and text leads to a page that says what the mail said.

Each mail that `stappenplan mail preview` knows is written about a real customer who stands where
the mail says, and each of its links is followed by whoever got it. A mail without a line in
`MAILS` fails here, and so does a link that its line does not name.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pytest

from infra.composition import build_services
from infra.operations.mail.examples import Example, examples
from shared.events.shapes import Language
from shared.host.settings import Settings
from shared.notifications.rendering.jobs import RenderJob
from shared.notifications.rendering.renderer import Renderer
from tests.e2e.clock import StandingClock
from tests.e2e.stage import Stage, one_process
from tests.integration.pages.mails.standings import STRICT, UNFURNISHED, Customers
from tests.visitors import Visitor, sign_in, words_of

BY_TYPE = re.compile(r"(?:https?://)?127\.0\.0\.1:\d+(/[^\s)>\]]*)")

LOGIN: Mapping[str, str] = {"/login": "Inloggen"}
FORGOTTEN: Mapping[str, str] = {"/password/forgotten": "Wachtwoord"}
UNSIGNED = {"/sign/": "Onderteken de bevestiging voor"}
SIGNED = {"/sign/": "Ondertekend: u hoeft niets meer te doen"}


class Said(NamedTuple):
    """Where the customer of a mail stands, and what its links lead to: words by how paths begin."""

    standing: str
    pages: Mapping[str, str]


MAILS: Mapping[str, Said] = {
    "signup_received": Said(
        "review", {"/status/": "Uw kantoor controleert", "/withdraw/": "Wat er stopt"}
    ),
    "signup_received-paid-by-another": Said(
        "paid_by_another", {"/status/": "Wij wachten op de handtekening", "/withdraw/": "Wat er"}
    ),
    "signup_received_office": Said("review", {"/registrations/": "Kloppen de gegevens?"}),
    "signup_received_office-paid-by-another": Said(
        "paid_by_another", {"/registrations/": "Holding Voorbeeld B.V."}
    ),
    "signup_incomplete": Said("unsigned", {"/signup/0042": "Inschrijven voor iMUIS Online"}),
    "signup_declined": Said("declined", {"/status/": "heeft uw inschrijving afgewezen"}),
    "onboarding_withdrawn": Said("withdrawn", {"/status/": "is ingetrokken"}),
    "onboarding_withdrawn_office": Said("withdrawn", {"/onboardings/": "ingetrokken"}),
    "withdraw_link": Said("unsigned", {"/withdraw/": "Wat er stopt"}),
    "administration_failed": Said(
        "without_administration", {"/onboardings/": "Maak de administratie opnieuw"}
    ),
    "order_confirmation": Said("unsigned", UNSIGNED),
    "order_confirmation_copy": Said("unsigned", {"/onboardings/": "Wacht op de ondertekende"}),
    "order_confirmation-covered": Said("covered", {"/sign/": "U hoeft niet te tekenen"}),
    "order_confirmation_copy-covered": Said("covered", {"/onboardings/": "VRIJGEVEN"}),
    "order_with_payer-covered": Said("covered", {"/status/": "Wij wachten op de betaling"}),
    "order_confirmation-paid-by-another": Said("paid_by_another", UNSIGNED),
    "order_confirmation_copy-paid-by-another": Said(
        "paid_by_another", {"/onboardings/": "Holding Voorbeeld B.V."}
    ),
    "order_with_payer-paid-by-another": Said(
        "paid_by_another", {"/status/": "Wij wachten op de handtekening"}
    ),
    "order_reminder": Said("unsigned", {**UNSIGNED, "/withdraw/": "Wat er stopt"}),
    "signature_received": Said("signed", SIGNED),
    "signature_received_office": Said("signed", {"/onboardings/": "KING"}),
    "order_withdrawn": Said("withdrawn", {"/sign/": "Deze order is ingetrokken"}),
    "confirmation_undeliverable": Said("unsigned", {"/onboardings/": "Wacht op de ondertekende"}),
    "confirmation_undeliverable-reminder": Said(
        "unsigned", {"/onboardings/": "Wacht op de ondertekende"}
    ),
    "confirmation_not_made": Said("unsigned", {"/orders/": "Handtekening vastleggen"}),
    "payer_link": Said("unsigned", UNSIGNED),
    "signing_code": Said("unsigned", {}),
    "collection_failed": Said("short_of_money", {"/sign/": "onvoldoende saldo"}),
    "collection_failed_office": Said("short_of_money", {"/onboardings/": "Incasso"}),
    "collection_failed-for-good": Said("account_closed", {"/sign/": "Opnieuw ondertekenen"}),
    "collection_failed_office-for-good": Said("account_closed", {"/onboardings/": "Incasso"}),
    "customer_released": Said("released", {"/onboardings/": "Verstuur de inloggegevens"}),
    "credentials": Said("activated", LOGIN),
    "credentials_undeliverable": Said("undelivered", {"/onboardings/": "Stuur ze opnieuw"}),
    "credentials_expiring": Said("activated", {**LOGIN, **FORGOTTEN}),
    "credentials_expired": Said("expired", {"/onboardings/": "Stuur ze opnieuw"}),
    "password_forgotten": Said("activated", {"/password": "Wachtwoord wijzigen"}),
    "password_changed": Said("activated", FORGOTTEN),
    "login_locked": Said("activated", FORGOTTEN),
    "access_suspended": Said("suspended", {"/status/": "Uw toegang is even stopgezet"}),
    "access_restored": Said("activated", LOGIN),
    "access_restored-expired": Said("expired", {"/status/": "eenmalige wachtwoord is verlopen"}),
    "page_link": Said("unsigned", {"/status/": "Wij wachten op de handtekening"}),
    "contact_changed": Said("moved", {}),
    "contact_changed-mobile": Said("moved", {"/status/": "nieuw@winkel.example"}),
    "contact_confirmed": Said("moved", {"/status/": "nieuw@winkel.example"}),
}
"""By the name of the example."""

NAME_NOBODY = ("/login", "/password", "/signup")
"""Pages that are the same for everybody."""

OF_KING = "confirmation_not_made"
"""The one mail for KING itself."""


@pytest.fixture(scope="module")
def customers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Customers]:
    """The embedded default, on a clock that is moved on, with a KING that does nothing itself."""
    folder = tmp_path_factory.mktemp("mails")
    settings = Settings(data_dir=folder, http_port=0, log_level="error")
    with one_process(settings, simulate_king=False, clock=StandingClock()) as stage:
        stage.open_office(STRICT, review="always")
        stage.open_office(UNFURNISHED, base_administration="not-there")
        yield Customers(stage)


class Recipients:
    """Everybody who gets mail, with a browser: customers and payers, offices, and KING."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._browsers: list[Visitor] = []

    def of(self, path: str, mail: str, office: str) -> Visitor:
        """Whoever follows a link with this path, in this mail about a customer of the office."""
        if mail == OF_KING:
            return self._signed_in("king", None)
        is_for_staff = path.startswith(("/onboardings/", "/registrations/"))
        return self._signed_in("activator", office) if is_for_staff else self._visitor()

    def _signed_in(self, role: str, office: str | None) -> Visitor:
        visitor = self._visitor()
        kept = sign_in(self._stage.settings, role, office, at=self._stage.clock())
        for name, value in kept.items():
            visitor.http.cookies.set(visitor.site.cookie(name), value)
        return visitor

    def _visitor(self) -> Visitor:
        visitor = Visitor(self._stage.settings, self._stage.addresses["activation"])
        self._browsers.append(visitor)
        return visitor

    def leave(self) -> None:
        for visitor in self._browsers:
            visitor.http.close()


@pytest.fixture
def recipients(customers: Customers) -> Iterator[Recipients]:
    everybody = Recipients(customers.stage)
    yield everybody
    everybody.leave()


def written(example: Example, language: Language, customers: Customers) -> str:
    """The text of a mail as its service would send it about the customer of whom it speaks."""
    stage, customer = customers.stage, customers.standing(MAILS[example.name].standing)
    (service,) = build_services(stage.settings, [example.service])
    mail = example.mail
    names = {
        "company": customer["company"],
        "reference": customer["reference"],
        "order_reference": customer.get("order_reference"),
        "office_code": customer["office_code"],
    }
    real = {name: value for name, value in names.items() if name in mail.params}
    job = RenderJob(
        kind=mail.kind,
        channel=mail.channel,
        language=language,
        params={**mail.params, **example.secrets, **real},
        to=mail.to,
        message_key="links",
        about=customer["onboarding_id"],
        reply_to=mail.reply_to,
    )
    renderer = Renderer(service.templates, stage.settings.page_links())
    return renderer.render(job, stage.clock()).text


def test_every_mail_has_its_line_in_the_table() -> None:
    # Given the mails that there are, and those that the table names,
    there = {example.name for example in examples("nl", StandingClock()())}
    # Then none is forgotten, and none is named that is no more.
    assert there == set(MAILS)


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("name", MAILS)
def test_every_link_leads_to_what_the_mail_said(
    customers: Customers, recipients: Recipients, name: str, language: Language
) -> None:
    said, customer = MAILS[name], customers.standing(MAILS[name].standing)
    for example in examples(language, customers.stage.clock()):
        if example.name != name:
            continue
        # Given the mail as it is sent about a customer who stands there
        paths = set(BY_TYPE.findall(written(example, language, customers)))
        assert {_beginning(path, said) for path in paths} == set(said.pages)
        for path in paths:
            # When its recipient follows a link, Then they find what the mail said, about whom.
            page = recipients.of(path, name, customer["office_code"]).get(path)
            assert page.status_code == 200, path
            words = words_of(page)
            assert said.pages[_beginning(path, said)] in words
            assert customer["company"] in words or path.startswith(NAME_NOBODY)


def _beginning(path: str, said: Said) -> str:
    """How the table names this path."""
    known = [beginning for beginning in said.pages if path.startswith(beginning)]
    return max(known, key=len, default=f"{path}, which the table does not name")
