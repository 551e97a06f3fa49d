"""What billing does upon each event and command.

The rules of collecting are in `collection`, those of signing in `confirmation`.
"""

from collections.abc import Sequence

from services.billing.collection.process import CollectionProcess
from services.billing.collection.release import update_standing
from services.billing.collection.sepa_ids import mandate_reference
from services.billing.collection.unmatched import (
    book_unmatched,
    decide_unmatched,
    schedule_match,
)
from services.billing.commands import (
    CollectAgain,
    DecideCollection,
    MatchResults,
    RemindUnsigned,
    SignOrder,
)
from services.billing.confirmation.reminders import schedule_reminder
from services.billing.confirmation.signing import account_on_paper, sign_anew
from services.billing.loads import (
    COLLECTIONS_OF_HELD,
    COLLECTIONS_OF_ORDER,
    COLLECTIONS_OF_SUBJECT,
    COLLECTIONS_UNDER_MANDATE,
    HELD,
    MANDATE_OF_EVENT,
    MANDATE_OF_ORDER,
    OPEN_UNMATCHED,
    ORDER,
    ORDER_BY_REFERENCE,
    ORDER_OF_HELD,
    UNMATCHED_OF_MESSAGE,
    UNSIGNED_OF_MANDATE,
)
from services.billing.mails import confirmation_mails, reminder_mails
from services.billing.models import Collection, Mandate, Order, OrderTerms, UnmatchedResult
from services.billing.models.mandate import mandate_key
from services.billing.models.terms import Account
from shared.base.errors import NotFound
from shared.events import CollectionResult, OnboardingWithdrawn, RegistrationCompleted
from shared.events.envelope import Envelope
from shared.host.settings import Settings
from shared.processing import Effect, EventFor, Loaded, Now, Numbers, on
from shared.trade.calendar import business_day
from shared.trade.catalogue import Catalogue

SERIES = "order"


def place_order(
    event: RegistrationCompleted,
    envelope: Envelope,
    orders: Loaded[Order],
    mandates: Loaded[Mandate],
    collections: Loaded[Collection],
    unmatched: Loaded[UnmatchedResult],
    catalogue: Catalogue,
    settings: Settings,
    numbers: Numbers,
    now: Now,
) -> Sequence[Effect]:
    """Turn a registration into an order and send the payer its confirmation to sign."""
    order = _get_or_add(orders, envelope.subject)
    if order.placed:
        order.require_same(event)
        return []  # Hearing the fact again changes nothing.
    today = business_day(now)
    reference = f"O-{today.year}-{numbers.take(SERIES):06d}"
    mandate = _mandate_of(event, reference, mandates, settings)
    # Under a standing mandate KING collects from its account, whatever came with the order.
    account: Account = mandate if mandate.active else event.payer
    terms = OrderTerms.agree(catalogue.price(event.package), settings, today, account)
    order.place(event, reference, terms, mandate, today)
    process = CollectionProcess(order, mandate, collections, settings, now)
    effects: list[Effect] = []
    if not order.withdrawn:  # Nobody is asked to sign for a customer who left before.
        effects += confirmation_mails(order)
        if mandate.active and mandate.signed_on is not None:
            effects += process.sign("standing_mandate", mandate.signed_on, mandate.account_holder)
        else:
            effects += schedule_reminder(order, 1, now)
    return effects + book_unmatched(process, unmatched.where(order_reference=reference, open=1))


def book(
    event: CollectionResult,
    envelope: Envelope,
    orders: Loaded[Order],
    mandates: Loaded[Mandate],
    collections: Loaded[Collection],
    unmatched: Loaded[UnmatchedResult],
    settings: Settings,
    now: Now,
) -> Sequence[Effect]:
    """Book what KING reports; what belongs to no known order is kept for a person."""
    order = _find(orders, event.order_reference)
    if order is not None:
        mandate = mandates.get(order.mandate_key)
        return CollectionProcess(order, mandate, collections, settings, now).book(event)
    if envelope.id not in unmatched:
        unmatched.add(UnmatchedResult.keep(envelope.id, event, now))
    return schedule_match(event.order_reference, 0, now, envelope.id)


def match_results(
    command: MatchResults,
    orders: Loaded[Order],
    mandates: Loaded[Mandate],
    collections: Loaded[Collection],
    unmatched: Loaded[UnmatchedResult],
    settings: Settings,
    now: Now,
) -> Sequence[Effect]:
    """Book unmatched results whose order has appeared; otherwise look again later."""
    rows = unmatched.where(order_reference=command.order_reference, open=1)
    order = _find(orders, command.order_reference)
    if not rows:
        return []
    if order is None:
        return schedule_match(command.order_reference, command.times, now, rows[0].id)
    mandate = mandates.get(order.mandate_key)
    return book_unmatched(CollectionProcess(order, mandate, collections, settings, now), rows)


def sign(
    command: SignOrder,
    orders: Loaded[Order],
    mandates: Loaded[Mandate],
    collections: Loaded[Collection],
    settings: Settings,
    now: Now,
) -> Sequence[Effect]:
    """Record the signed confirmation, and ask KING to collect only now.

    Of an order that was signed before, only a signature for another account is news.
    """
    order = _require(orders, command.order_reference)
    mandate = mandates.get(order.mandate_key)
    if mandate is None:
        raise NotFound("not_found", "This order has no mandate.")
    iban, holder = account_on_paper(command, order, mandate)
    if order.signed:
        process = CollectionProcess(order, mandate, collections, settings, now)
        return sign_anew(command, process, mandate, holder)
    effects: list[Effect] = []
    for covered in orders.where(mandate_key=mandate.key):
        if covered is order or not (covered.signed or covered.withdrawn):
            mandate.sign(command.signed_on, iban, holder)
            process = CollectionProcess(covered, mandate, collections, settings, now)
            method = command.method if covered is order else "standing_mandate"
            effects += process.sign(method, command.signed_on, command.signed_by)
    return effects


def withdraw(
    event: OnboardingWithdrawn,
    envelope: Envelope,
    orders: Loaded[Order],
    collections: Loaded[Collection],
) -> Sequence[Effect]:
    """Keep the withdrawal, cancel what KING need not collect, take a release back."""
    order = _get_or_add(orders, envelope.subject)
    if not order.withdraw():
        return []
    rows = collections.where(onboarding_id=order.onboarding_id)
    return update_standing(order, rows, cause=event.reason)


def decide(
    command: DecideCollection,
    orders: Loaded[Order],
    collections: Loaded[Collection],
    unmatched: Loaded[UnmatchedResult],
) -> Sequence[Effect]:
    """Carry out what a person decided about a held result.

    Raises:
        Conflict: a result whose order is not known cannot be accepted.
        NotFound: nothing by this id waits for a decision.
    """
    rows = unmatched.where(end_to_end_id=command.end_to_end_id, open=1)
    if rows:
        return decide_unmatched(command, rows)
    held = collections.where(end_to_end_id=command.end_to_end_id, held=1)
    if not held:
        raise NotFound("not_held", "No result with this end-to-end id waits for a decision.")
    collection = held[0]
    order = _require(orders, collection.order_reference)
    collection.decide(command.decision, command.by)
    order.revision += 1
    booked = EventFor(order.onboarding_id, collection.booked(order.revision))
    attempts = collections.where(order_reference=collection.order_reference)
    return [booked, *update_standing(order, attempts)]


def collect_again(
    command: CollectAgain,
    orders: Loaded[Order],
    mandates: Loaded[Mandate],
    collections: Loaded[Collection],
    settings: Settings,
    now: Now,
) -> Sequence[Effect]:
    """Ask KING once more, unless the money came or the customer left meanwhile."""
    order = _require(orders, command.order_reference)
    mandate = mandates.get(order.mandate_key)
    process = CollectionProcess(order, mandate, collections, settings, now)
    return process.collect_again(after=command.attempt)


def remind_unsigned(command: RemindUnsigned, orders: Loaded[Order], now: Now) -> Sequence[Effect]:
    """Remind the payer of the confirmation that has not come back, with the same document."""
    order = _require(orders, command.order_reference)
    if order.signed or order.withdrawn:
        return []
    mails = reminder_mails(order, command.times)
    return [*mails, *schedule_reminder(order, command.times + 1, now)]


def _get_or_add(orders: Loaded[Order], onboarding_id: str) -> Order:
    """The order, made when this is the first thing heard of the onboarding."""
    return orders.get(onboarding_id) or orders.add(
        Order(onboarding_id=onboarding_id, amount_cents=0, revision=0, withdrawn=False)
    )


def _mandate_of(
    event: RegistrationCompleted, reference: str, mandates: Loaded[Mandate], settings: Settings
) -> Mandate:
    """The mandate that the order falls under, made if need be; it learns the payer's account."""
    key = mandate_key(event.payer, event.office.code, reference)
    mandate = mandates.get(key) or mandates.add(
        Mandate(key=key, reference=mandate_reference(reference), scheme=settings.mandate_scheme)
    )
    mandate.take_account(event.payer)
    return mandate


def _find(orders: Loaded[Order], reference: str) -> Order | None:
    return next(iter(orders.where(reference=reference)), None)


def _require(orders: Loaded[Order], reference: str) -> Order:
    order = _find(orders, reference)
    if order is None:
        raise NotFound("not_found", "There is no order by that reference.")
    return order


SUBSCRIPTIONS = [
    on(
        RegistrationCompleted,
        place_order,
        loads=[ORDER, MANDATE_OF_EVENT, OPEN_UNMATCHED, COLLECTIONS_OF_SUBJECT],
    ),
    on(
        CollectionResult,
        book,
        loads=[ORDER_BY_REFERENCE, MANDATE_OF_ORDER, COLLECTIONS_OF_ORDER, UNMATCHED_OF_MESSAGE],
    ),
    on(OnboardingWithdrawn, withdraw, loads=[ORDER, COLLECTIONS_OF_SUBJECT]),
    on(
        SignOrder,
        sign,
        loads=[
            ORDER_BY_REFERENCE,
            MANDATE_OF_ORDER,
            UNSIGNED_OF_MANDATE,
            COLLECTIONS_UNDER_MANDATE,
        ],
    ),
    on(
        DecideCollection,
        decide,
        loads=[HELD, ORDER_OF_HELD, COLLECTIONS_OF_HELD, OPEN_UNMATCHED],
    ),
    on(
        CollectAgain,
        collect_again,
        loads=[ORDER_BY_REFERENCE, MANDATE_OF_ORDER, COLLECTIONS_OF_ORDER],
    ),
    on(RemindUnsigned, remind_unsigned, loads=[ORDER_BY_REFERENCE]),
    on(
        MatchResults,
        match_results,
        loads=[ORDER_BY_REFERENCE, MANDATE_OF_ORDER, COLLECTIONS_OF_ORDER, OPEN_UNMATCHED],
    ),
]
