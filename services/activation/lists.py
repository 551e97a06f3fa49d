"""By what lists of customers are read: every list is a walk along one of these."""

from sqlalchemy import Index

from shared.persistence.entity import index_of

LISTS = (
    Index("activation_newest", "heard_at", "onboarding_id"),
    Index("activation_office", "office_code", "heard_at", "onboarding_id"),
    Index("activation_step", "step", "heard_at", "onboarding_id"),
    Index("activation_office_step", "office_code", "step", "heard_at", "onboarding_id"),
    Index("activation_step_actor", "step", "actor", "heard_at", "onboarding_id"),
    Index("activation_actor", "actor", "heard_at", "onboarding_id"),
    Index("activation_office_actor", "office_code", "actor", "heard_at", "onboarding_id"),
    Index("activation_blocker", "blocker", "since", "onboarding_id"),
    Index("activation_office_blocker", "office_code", "blocker", "since", "onboarding_id"),
    Index("activation_reference", "reference"),
    Index("activation_order", "order_reference"),
    Index("activation_customer_number", "customer_number"),
    Index("activation_administration", "administration_number"),
    index_of("ready", "activation_waiting", "heard_at", "onboarding_id"),
    index_of("ready", "activation_waiting_office", "office_code", "heard_at", "onboarding_id"),
)
