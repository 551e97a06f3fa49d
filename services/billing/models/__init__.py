"""Billing's tables: orders, mandates, collections, results without an order; their legal moves."""

from services.billing.models.collection import Collection
from services.billing.models.mandate import Mandate
from services.billing.models.order import Order, Stage, Standing
from services.billing.models.table import BillingTable
from services.billing.models.terms import OrderTerms
from services.billing.models.unmatched import UnmatchedResult

__all__ = [
    "BillingTable",
    "Collection",
    "Mandate",
    "Order",
    "OrderTerms",
    "Stage",
    "Standing",
    "UnmatchedResult",
]
