"""The first run as `stappenplan run` has it beside the services."""

from typing import TYPE_CHECKING

from infra.demo.playground.playground import Playground
from infra.demo.simulators.king import KingBilling
from shared.notifications.senders import Senders

if TYPE_CHECKING:
    from fastapi import APIRouter, Request, Response

    from infra.run.supervisor import Supervisor


class FirstRun:
    """Its pages, and the mail service that can be taken away there."""

    def __init__(self, supervisor: "Supervisor", king: KingBilling | None) -> None:
        self.playground = Playground(supervisor, king)

    def senders(self, senders: Senders) -> Senders:
        """The ways out for mails, which can be closed on the page."""
        return self.playground.outage.around(senders)

    def routers(self) -> "list[APIRouter]":
        """The pages of the first run, and the mailbox."""
        from infra.demo.playground.pages import playground_pages

        return [playground_pages(self.playground)]

    def front_page(self, request: "Request") -> "Response":
        """What `/` shows while nobody is signed in."""
        from infra.demo.playground.pages import front_page

        return front_page(self.playground, request)
