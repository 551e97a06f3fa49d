"""Orders of a process of an earlier version, which knows of no lists: listed all the same.

Such a process may run beside this one for a while, on the same tables.
"""

from sqlalchemy import case, or_
from sqlmodel import col, select

from services.billing.models import Order
from services.billing.models.order import Stage, Standing
from shared.host.runtime import Runtime
from shared.persistence.chores import portion
from shared.persistence.database import Database

AT_ONCE = 200

STAGE = case(
    (col(Order.withdrawn), Stage.WITHDRAWN.value),
    (col(Order.signed_on).is_(None), Stage.UNSIGNED.value),
    (col(Order.standing) == Standing.RELEASED.value, Stage.RELEASED.value),
    (col(Order.standing) == Standing.TAKEN_BACK.value, Stage.SUSPENDED.value),
    else_=Stage.SIGNED.value,
)
"""How far a placed order has come, by what every version keeps."""


def catch_up(runtime: Runtime) -> None:
    """Have the orders of an earlier version listed and found, from the start on."""
    list_anew(runtime.database)


def list_anew(database: Database) -> None:
    """Bring what orders are listed and found by into line with what is known of them."""
    own, last = col(Order.onboarding_id), ""
    behind = or_(col(Order.stage) != STAGE, col(Order.company_key) == "")
    query = select(Order).where(col(Order.reference).is_not(None), behind).order_by(own)
    while True:
        with portion(database) as session:
            # Another process that starts at the same moment takes others.
            some = query.where(own > last).limit(AT_ONCE).with_for_update(skip_locked=True)
            rows = session.exec(some).all()
            for order in rows:
                order.catch_up()
            last = rows[-1].onboarding_id if rows else last
        if not rows:
            return
