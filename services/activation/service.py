"""Composition: what makes activation a service."""

from pathlib import Path

from services.activation.api import router
from services.activation.customers import customer_names
from services.activation.earlier_versions import catch_up
from services.activation.handlers import SUBSCRIPTIONS
from services.activation.login.credentials import credentials_kind
from services.activation.login.forgotten import forgotten_kind
from services.activation.mails import CREDENTIALS, FORGOTTEN
from services.activation.models import ActivationTable
from shared.host.service import Service
from shared.host.settings import Settings


def build(settings: Settings) -> Service:
    """The activation service, not yet running."""
    return Service(
        name="activation",
        subscriptions=SUBSCRIPTIONS,
        metadata=ActivationTable.metadata,
        folder=Path(__file__).parent,
        router=router,
        resources={Settings: settings},
        customers=customer_names,
        scopes={
            "contacts:amend": "correct where a customer is reached",
            "users:activate": "send customers their credentials",
            "onboardings:read": "see where every customer stands",
        },
        at_start=catch_up,
        notification_kinds={
            CREDENTIALS: credentials_kind(settings),
            FORGOTTEN: forgotten_kind(settings),
        },
    )
