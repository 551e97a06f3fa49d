"""A Stappenplan that people walk through: how they come in, their mail, and what a page shows.

Everybody comes by an address that they were given: the office's website, a link in a mail, a
one-time link that signs staff in. Who they are stands in `people.py`.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

from infra.demo.playground.mailbox import Letter, Mailbox
from services.activation.staff import links
from services.activation.staff.sessions import StaffMember
from tests.browser.visitors import Visitors
from tests.e2e.stage import Stage
from tests.servers.premises import wait_until

OFFICE = "0042"
MAILS = 1_000
"""Of the latest mails, so many are looked through."""

PATIENCE_SECONDS = 30.0
"""For what happens by itself between two people, on a machine that is busy."""

LINK = re.compile(r"https?://[^\s)>\]]+")


@dataclass
class Walk:
    """One Stappenplan, the mail that leaves it, and the people who visit it."""

    stage: Stage
    person: Visitors
    javascript: bool = True

    def visitor(self, expects: Collection[int] = ()) -> Page:
        """The browser of somebody who has never been here."""
        return self.person(javascript=self.javascript, expects=expects)

    def staff(self, role: str, name: str, office: str | None = None) -> Page:
        """Somebody who has come by the one-time link that the command line printed for them."""
        page = self.visitor()
        pages = self.stage.settings.page_links()
        member = StaffMember.of(name, role, office)
        path, _ = links.make(pages, member, self.stage.clock())
        page.goto(pages.plain(path))
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Aanmelden als {name}")
        page.get_by_role("button", name="Aanmelden", exact=True).click()
        page.wait_for_url(pages.plain("/"))
        return page

    def mail(self, kind: str, to: str) -> Letter:
        """The last mail of this kind to somebody, as soon as it is there."""
        mailbox = Mailbox(self.stage.settings.data_dir, "")
        found: list[Letter] = []

        def has_come() -> bool:
            latest = mailbox.latest(MAILS)
            found[:] = [one for one in latest if one.to == to and f"-{kind}-" in one.name]
            return bool(found)

        wait_until(has_come, f"{kind} was mailed", PATIENCE_SECONDS)
        return found[0]

    def seen(self, page: Page, what: Callable[[], Locator]) -> Locator:
        """What a page comes to show: by itself, or to whoever loads it again."""
        if self.javascript:
            expect(what().first).to_be_visible(timeout=PATIENCE_SECONDS * 1_000)
            return what().first

        def is_there() -> bool:
            page.reload()
            return what().first.is_visible()

        wait_until(is_there, "the page shows what it should", PATIENCE_SECONDS)
        return what().first


def link_in(letter: Letter, page: str) -> str:
    """The address of this page in a mail, e.g. of `/sign/`."""
    found: set[str] = {address.rstrip(".,") for address in LINK.findall(letter.text)}
    (address,) = (address for address in found if page in address)
    return address
