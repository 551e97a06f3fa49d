"""Composition: what makes billing a service."""

from pathlib import Path
from typing import TYPE_CHECKING

from services.billing.confirmation.notices import Documents
from services.billing.customers import customer_names
from services.billing.earlier_versions import catch_up
from services.billing.handlers import SUBSCRIPTIONS
from services.billing.models import BillingTable
from services.billing.models.sepa_ids import ORDERS
from services.billing.signing.codes import payer_kinds
from shared.base.words import Words
from shared.host.runtime import Runtime
from shared.host.service import Service
from shared.host.settings import Settings
from shared.trade.catalogue import Catalogue
from shared.web.navigation import NavigationEntry

WAITS_AT = dict.fromkeys(
    (
        "collection.result.v1",
        "billing.collect_again",
        "billing.decide_result",
        "billing.match_results",
        "collection_failed",
        "collection_failed_office",
    ),
    "VRIJGEVEN",
)

if TYPE_CHECKING:
    from fastapi import APIRouter

NAVIGATION = (
    NavigationEntry("/orders", Words("Orders", "Orders"), "orders:read"),
    NavigationEntry("/held-results", Words("Vastgehouden", "On hold"), "orders:confirm"),
)
"""At which step a customer waits when one of these fails, where it is not the first."""


def build(settings: Settings) -> Service:
    """The billing service, not yet running."""
    catalogue = Catalogue.load(settings.catalogue)
    documents = Documents(settings, catalogue)
    return Service(
        name="billing",
        subscriptions=SUBSCRIPTIONS,
        metadata=BillingTable.metadata,
        folder=Path(__file__).parent,
        router=_router,
        resources={Catalogue: catalogue, Settings: settings, Documents: documents},
        series=(ORDERS,),
        customers=customer_names,
        steps=("BEVESTIGEN", "VRIJGEVEN"),
        waits_at=WAITS_AT,
        scopes={
            "orders:read": "read orders and their confirmations",
            "orders:confirm": "record signed confirmations, decide held results (KING back office)",
            "collections:report": "report collection results (KING billing)",
        },
        at_start=catch_up,
        notification_kinds=documents.notification_kinds() | payer_kinds(settings),
        pages=_pages,
        navigation=NAVIGATION,
    )


# What speaks HTTP takes long to load, and a chore at the command line needs none of it.


def _router(runtime: Runtime) -> "APIRouter":
    from services.billing.api import router

    return router(runtime)


def _pages(runtime: Runtime) -> "APIRouter":
    from services.billing.pages import pages

    return pages(runtime)
