"""The people between sign-up and log-in, each at the pages that are theirs.

From the address that they were given they only press what is before them.
"""

import re
from dataclasses import dataclass, field
from functools import cached_property

from playwright.sync_api import Page, expect

from infra.composition import service_names
from infra.demo.demonstration import OWN_PASSWORD, PASSWORD
from services.billing.confirmation.notices import scan_token
from tests.browser.test_signup import fill_in
from tests.browser.walk import OFFICE, Walk, link_in

LOGIN_NAME = re.compile(r"Loginnaam:?\s+(\S+)")
CODE = re.compile(r"^\s*(\d{6})\s*$", re.MULTILINE)


@dataclass
class Customer:
    """Somebody who signs up, and in the end logs in."""

    walk: Walk
    company: str
    payer: str | None = None
    """Who pays, where it is not the customer."""
    reference: str = field(init=False, default="")

    @property
    def email(self) -> str:
        return f"{re.sub('[^a-z]', '', self.company.lower())}@winkel.example"

    @property
    def payers_email(self) -> str:
        return f"betaler-{self.email}" if self.payer else self.email

    @cached_property
    def page(self) -> Page:
        return self.walk.visitor()

    def sign_up(self) -> None:
        """Fill in the office's form, check it, send it, and go on to the page of one's own."""
        page = self.page
        page.goto(f"/signup/{OFFICE}")
        fill_in(page, self.company)
        page.get_by_label("Per e-mail").check()
        if self.payer:
            page.get_by_label("Iemand anders").check()
            page.locator('[name="payer.name"]').fill(self.payer)
            page.locator('[name="payer.email"]').fill(self.payers_email)
        page.get_by_role("button", name="Verder: nakijken").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Klopt alles?")
        page.get_by_role("button", name="Inschrijving versturen").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("is ontvangen")
        self.reference = page.locator("dd", has_text=re.compile(r"^S-\d{4}-\d+$")).inner_text()
        page.get_by_role("link", name="Naar mijn pagina").click()

    def reads(self, headline: str) -> None:
        """Their page says where things stand."""
        self.walk.seen(self.page, lambda: self.page.get_by_role("heading", name=headline))

    def log_in(self) -> None:
        """With what was mailed; then choose a password of one's own."""
        letter = self.walk.mail("credentials", self.email)
        name, password = LOGIN_NAME.search(letter.text), PASSWORD.search(letter.text)
        assert name is not None
        assert password is not None
        page = self.walk.visitor()
        page.goto(link_in(letter, "/login"))
        page.get_by_label("Loginnaam").fill(name[1])
        page.get_by_label("Wachtwoord", exact=True).fill(password[1])
        page.get_by_role("button", name="Inloggen").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Kies uw eigen wachtwoord")
        page.get_by_label("Nieuw wachtwoord", exact=True).fill(OWN_PASSWORD)
        page.get_by_label("Nieuw wachtwoord, nogmaals").fill(OWN_PASSWORD)
        page.get_by_role("button", name="Wachtwoord vastleggen").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("U bent ingelogd")
        expect(page.get_by_text(f"De administratie van {self.company}")).to_be_visible()


@dataclass
class Payer:
    """Whoever is asked to sign for a customer, by mail."""

    walk: Walk
    customer: Customer

    @cached_property
    def page(self) -> Page:
        """What the link in the mail opens."""
        page = self.walk.visitor()
        letter = self.walk.mail("order_confirmation", self.customer.payers_email)
        page.goto(link_in(letter, "/sign/"))
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_text(f"Onderteken de bevestiging voor {self.customer.company}")
        return page

    def sign_online(self) -> None:
        """With the code that is mailed to the payer's own address."""
        page = self.page
        page.get_by_role("link", name="Online ondertekenen").click()
        page.get_by_label("Uw naam").fill("J. Voorbeeld")
        page.get_by_label("Plaats waar u tekent").fill("Utrecht")
        page.get_by_label("Ik ga akkoord").check()
        page.get_by_role("button", name="Stuur mij de code").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Vul de code")
        code = CODE.search(self.walk.mail("signing_code", self.customer.payers_email).text)
        assert code is not None
        page.get_by_label("Code", exact=True).fill(code[1])
        page.get_by_role("button", name="Ondertekenen", exact=True).click()
        # KING may have collected before the page is there.
        expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Ondertekend|Betaald"))

    def post(self) -> str:
        """Say that the paper is in the post; the order's reference, which stands on it."""
        page = self.page
        reference = page.locator("dd", has_text=re.compile(r"^O-\d{4}-\d+$")).inner_text()
        page.get_by_role("button", name="Ik heb haar gepost").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Uw brief is onderweg")
        return reference


@dataclass
class Colleague:
    """Somebody of the office, who checks who signs up and sends login details."""

    walk: Walk

    @cached_property
    def page(self) -> Page:
        page = self.walk.staff("activator", "M. Voorbeeld", OFFICE)
        expect(page.get_by_role("heading", level=1)).to_have_text("Werklijst")
        return page

    def register(self, customer: Customer) -> None:
        """Find the sign-up in the list, check it, and register the customer with KING."""
        page = self.page
        self._open(customer)
        self._press(page, "Controleer de inschrijving")
        expect(page.get_by_text(customer.email).first).to_be_visible()
        page.get_by_role("button", name="Aanmelden bij KING").click()
        expect(page.get_by_role("status").first).to_contain_text("aangemeld")

    def activate(self, customer: Customer) -> None:
        """Send the login details by e-mail, and see them arrive."""
        page = self.page
        self._open(customer)
        self._press(page, "Verstuur de inloggegevens")
        page.get_by_role("radio", name=f"Per e-mail naar {customer.email}").check()
        page.get_by_role("button", name="Verstuur", exact=True).click()
        expect(page.get_by_role("status").first).to_contain_text("besteld")
        self.walk.seen(page, lambda: page.get_by_text("De klant kan inloggen."))

    def _open(self, customer: Customer) -> None:
        self.page.goto("/")
        self.walk.seen(self.page, lambda: self.page.get_by_role("link", name=customer.company))
        self.page.get_by_role("link", name=customer.company).first.click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(customer.company)

    def _press(self, page: Page, name: str) -> None:
        self.walk.seen(page, lambda: page.get_by_role("link", name=name)).click()


@dataclass
class Clerk:
    """Somebody at KING's desk, with a scanner and the paper that came by post."""

    walk: Walk

    def record(self, order: str, customer: Customer) -> None:
        """Scan the paper's code, compare it with the screen, and say who signed."""
        page = self.walk.staff("king", "K. Post")
        page.goto("/orders")
        page.locator("[data-scan]").fill(scan_token(order, self.walk.stage.settings.sealing_key()))
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text(customer.company)
        page.get_by_label("Getekend door").fill("G. de Bocht")
        page.get_by_role("radio", name="per post").check()
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text(f"{order} vastgelegd")


@dataclass
class Operator:
    """Somebody who looks after the services."""

    walk: Walk

    def sees_all_green(self) -> None:
        """Every service's lamp says that all is done; nothing waits for a person."""
        page = self.walk.staff("operator", "O. Wacht")
        page.get_by_role("link", name="Beheer").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Beheer")
        for service in service_names():
            self.walk.seen(page, lambda: page.locator(f"#service-{service} .lamp--good"))  # noqa: B023 - it is asked at once.


@dataclass
class Webmaster:
    """Somebody who builds the office's website, and tries what it will send."""

    walk: Walk

    def try_an_event(self) -> None:
        """Have the example judged that the bench itself gives."""
        page = self.walk.visitor()
        page.goto(f"/try/{OFFICE}")
        page.get_by_role("button", name="Beoordelen").click()
        expect(page.locator("#verdict")).to_contain_text("zou worden aangenomen")


def take_seven_steps(walk: Walk) -> None:
    """From the webmaster's bench to the customers' log-in, each step by whose it is."""
    kind = "met" if walk.javascript else "zonder"
    Webmaster(walk).try_an_event()
    colleague = Colleague(walk)
    bakery = Customer(walk, f"Bakkerij {kind}", payer="Holding Voorbeeld B.V.")
    garage = Customer(walk, f"Garage {kind}")
    for customer in (bakery, garage):
        customer.sign_up()
        customer.reads("Uw kantoor controleert uw gegevens")
        colleague.register(customer)
        customer.reads("Wij wachten op de handtekening")
    Payer(walk, bakery).sign_online()
    order = Payer(walk, garage).post()
    Clerk(walk).record(order, garage)
    for customer in (bakery, garage):
        customer.reads("Uw kantoor stuurt u zo uw inloggegevens")
        colleague.activate(customer)
        customer.reads("U kunt inloggen")
        customer.log_in()
        customer.reads("Alles is klaar")
    Operator(walk).sees_all_green()
