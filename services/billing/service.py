"""Composition: what makes billing a service."""

from pathlib import Path

from services.billing.api import router
from services.billing.confirmation.notices import Documents
from services.billing.customers import customer_names
from services.billing.earlier_versions import catch_up
from services.billing.handlers import SERIES, SUBSCRIPTIONS
from services.billing.models import BillingTable
from shared.host.service import Service
from shared.host.settings import Settings
from shared.trade.catalogue import Catalogue


def build(settings: Settings) -> Service:
    """The billing service, not yet running."""
    catalogue = Catalogue.load(settings.catalogue)
    documents = Documents(settings, catalogue)
    return Service(
        name="billing",
        subscriptions=SUBSCRIPTIONS,
        metadata=BillingTable.metadata,
        folder=Path(__file__).parent,
        router=router,
        resources={Catalogue: catalogue, Settings: settings, Documents: documents},
        series=(SERIES,),
        customers=customer_names,
        scopes={
            "orders:read": "read orders and their confirmations",
            "orders:confirm": "record signed confirmations, decide held results (KING back office)",
            "collections:report": "report collection results (KING billing)",
        },
        at_start=catch_up,
        notification_kinds=documents.notification_kinds(),
    )
