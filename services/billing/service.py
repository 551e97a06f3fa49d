"""Composition: what makes billing a service."""

from pathlib import Path

from services.billing.api import router
from services.billing.documents import document_notices
from services.billing.handlers import SERIES, SUBSCRIPTIONS
from services.billing.tables import BillingTable
from shared.catalogue import Catalogue
from shared.processing.service import Service
from shared.settings import Settings


def build(settings: Settings) -> Service:
    """The billing service, not yet running."""
    return Service(
        name="billing",
        subscriptions=SUBSCRIPTIONS,
        metadata=BillingTable.metadata,
        folder=Path(__file__).parent,
        router=router,
        resources={Catalogue: Catalogue.load(settings.catalogue), Settings: settings},
        series=(SERIES,),
        notices=document_notices(settings),
    )
