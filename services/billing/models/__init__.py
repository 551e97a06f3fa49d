"""Billing's tables and their legal moves: orders, mandates, collections, what payers return."""

from services.billing.models.collection import Collection
from services.billing.models.mandate import Mandate
from services.billing.models.order import Order, Stage, Standing
from services.billing.models.returned import OnlineSigning, Scan
from services.billing.models.table import BillingTable
from services.billing.models.terms import OrderTerms
from services.billing.models.unmatched import UnmatchedResult

__all__ = [
    "BillingTable",
    "Collection",
    "Mandate",
    "OnlineSigning",
    "Order",
    "OrderTerms",
    "Scan",
    "Stage",
    "Standing",
    "UnmatchedResult",
]
