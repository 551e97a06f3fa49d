"""Pages that are open while something happens elsewhere, and how soon they must show it."""

import os
import time

from playwright.sync_api import Locator, Page, expect

from shared.links import Purpose
from tests.browser.walk import OFFICE, Walk
from tests.e2e.api import Api

SECONDS = 2.0


class TwoSeconds:
    """Runs from when a change was made; the same two seconds count for all pages together.

    That is the promise where there is a core for each thing at work. Where more is at work than
    there are cores, everything takes so many times longer, this too.
    """

    def __init__(self) -> None:
        busy = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
        self._end = time.monotonic() + SECONDS * busy

    def show(self, *what: Locator) -> None:
        """Raise AssertionError unless all of this is seen in time, whoever has the page open."""
        for locator in what:
            expect(locator).to_be_visible(timeout=self._left)

    def hide(self, *what: Locator) -> None:
        """Raise AssertionError unless nothing of this is seen any more in time."""
        for locator in what:
            expect(locator).to_be_hidden(timeout=self._left)

    @property
    def _left(self) -> float:
        return max(1.0, (self._end - time.monotonic()) * 1_000)


class OpenPages:
    """What customer, payer and office have before them about one customer who did not sign yet."""

    def __init__(self, walk: Walk, api: Api, company: str) -> None:
        form = api.form(OFFICE)["customer"] | {"company": company, "language": "nl"}
        onboarding_id = api.sign_up(OFFICE, customer=form)
        self.order = api.order_of(onboarding_id)
        links, now = walk.stage.settings.page_links(), walk.stage.clock()
        self.customer = _open(walk, links.path(Purpose.STATUS, onboarding_id, now))
        self.payer = _open(walk, links.path(Purpose.SIGN, onboarding_id, now))
        self.colleague = walk.staff("activator", "A. Bos", OFFICE)
        self.colleague.goto(f"/onboardings/{onboarding_id}")
        self.list = walk.staff("activator", "B. Dam", OFFICE)
        self.list.goto("/?group=activate")
        waits = self.customer.get_by_role("heading", name="Wij wachten op de handtekening")
        expect(waits).to_be_visible()

    def paid(self, company: str) -> list[Locator]:
        """What they show once the money is in: each its own, and the work list one more."""
        return [
            self.customer.get_by_role("heading", name="Uw kantoor stuurt u zo uw inloggegevens"),
            self.payer.get_by_role("heading", name="Betaald: alles is in orde"),
            self.colleague.get_by_role("link", name="Verstuur de inloggegevens"),
            self.list.get_by_role("link", name=company),
        ]


def _open(walk: Walk, path: str) -> Page:
    page = walk.visitor()
    page.goto(path)
    return page
