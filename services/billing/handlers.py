"""What billing does upon each event and request; the rules of collecting are in `collecting`."""

from collections.abc import Sequence
from datetime import timedelta

from services.billing.agreed import Account, agree
from services.billing.collecting import Ledger, settle
from services.billing.collections import Collection
from services.billing.commands import (
    CollectAgain,
    DecideCollection,
    MatchResults,
    RemindUnsigned,
    SignOrder,
)
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
    UNSIGNED_OF_MANDATE,
)
from services.billing.mails import confirmation_mails, reminder_mails
from services.billing.mandates import business_day, mandate_key, mandate_reference
from services.billing.models import Mandate, Order, UnmatchedResult
from services.billing.signing import account_on_paper, sign_anew
from shared.base.errors import Conflict, NotFound
from shared.events import (
    CollectionResult,
    OnboardingWithdrawn,
    RegistrationCompleted,
)
from shared.events.envelope import Envelope
from shared.host.settings import Settings
from shared.processing import Effect, EventFor, Loaded, Now, Numbers, Scheduled, on
from shared.trade.catalogue import Catalogue

SERIES = "order"
REMIND_AFTER = timedelta(days=7)
REMINDERS = 3
LOOK_AGAIN = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=12))


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
    order = _order(orders, envelope.subject)
    if order.placed:
        order.require_same(event)
        return []  # Hearing the fact again changes nothing.
    today = business_day(now)
    reference = f"O-{today.year}-{numbers.take(SERIES):06d}"
    mandate = _mandate_of(event, reference, mandates, settings)
    # Under a standing mandate KING collects from its account, whatever came with the order.
    account: Account = mandate if mandate.active else event.payer
    agreed = agree(catalogue.price(event.package), settings, today, account)
    order.place(event, reference, agreed, mandate, today)
    ledger = Ledger(order, mandate, collections, settings, now)
    messages: list[Effect] = []
    if not order.withdrawn:  # Nobody is asked to sign for a customer who left before.
        messages += confirmation_mails(order)
        if mandate.active and mandate.signed_on is not None:
            messages += ledger.sign("standing_mandate", mandate.signed_on, mandate.account_holder)
        else:
            messages.append(_remind(order, 1, now))
    return messages + _book_strays(ledger, unmatched.where(order_reference=reference, open=1))


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
    found = orders.where(reference=event.order_reference)
    if found:
        order = found[0]
        mandate = mandates.get(order.mandate_key)
        return Ledger(order, mandate, collections, settings, now).book(event)
    if envelope.id not in unmatched:
        unmatched.add(
            UnmatchedResult(
                id=envelope.id,
                order_reference=event.order_reference,
                end_to_end_id=event.end_to_end_id,
                result=event.model_dump(mode="json", exclude_none=True),
                received_at=now,
            )
        )
    return [_look_again(event.order_reference, 0, now, envelope.id)]


def match_results(
    request: MatchResults,
    orders: Loaded[Order],
    mandates: Loaded[Mandate],
    collections: Loaded[Collection],
    unmatched: Loaded[UnmatchedResult],
    settings: Settings,
    now: Now,
) -> Sequence[Effect]:
    """Book unmatched results whose order has appeared; otherwise look again later."""
    strays = unmatched.where(order_reference=request.order_reference, open=1)
    found = orders.where(reference=request.order_reference)
    if not strays:
        return []
    if not found:
        if request.times >= len(LOOK_AGAIN):
            return []  # It stays held for a person.
        return [_look_again(request.order_reference, request.times, now, strays[0].id)]
    ledger = Ledger(found[0], mandates.get(found[0].mandate_key), collections, settings, now)
    return _book_strays(ledger, strays)


def sign(
    request: SignOrder,
    orders: Loaded[Order],
    mandates: Loaded[Mandate],
    collections: Loaded[Collection],
    settings: Settings,
    now: Now,
) -> Sequence[Effect]:
    """Record the signed confirmation, and ask KING to collect only now.

    Of an order that was signed before, only a signature for another account is news.
    """
    order = _known(orders, request.order_reference)
    mandate = mandates.get(order.mandate_key)
    if mandate is None:
        raise NotFound("not_found", "This order has no mandate.")
    iban, holder = account_on_paper(request, order, mandate)
    if order.signed:
        ledger = Ledger(order, mandate, collections, settings, now)
        return sign_anew(request, ledger, mandate, holder)
    messages = []
    for one in orders.where(mandate_key=mandate.key):
        if one is order or not (one.signed or one.withdrawn):
            first = one is order
            mandate.sign(request.signed_on, iban, holder)
            ledger = Ledger(one, mandate, collections, settings, now)
            method = request.method if first else "standing_mandate"
            messages += ledger.sign(method, request.signed_on, request.signed_by)
    return messages


def withdraw(
    event: OnboardingWithdrawn,
    envelope: Envelope,
    orders: Loaded[Order],
    collections: Loaded[Collection],
) -> Sequence[Effect]:
    """Keep the withdrawal, cancel what KING need not collect, take a release back."""
    order = _order(orders, envelope.subject)
    if not order.withdraw():
        return []
    mine = collections.where(onboarding_id=order.onboarding_id)
    return settle(order, mine, cause=event.reason)


def decide(
    request: DecideCollection,
    orders: Loaded[Order],
    collections: Loaded[Collection],
    unmatched: Loaded[UnmatchedResult],
) -> Sequence[Effect]:
    """A person decides about what was held."""
    strays = unmatched.where(end_to_end_id=request.end_to_end_id, open=1)
    if strays and request.decision == "accept":
        raise Conflict(
            "order_unknown",
            "The order of this result is not known, so it cannot be accepted; correct the "
            "report, or dismiss it.",
        )
    for stray in strays:
        stray.open, stray.decision = 0, f"{request.by}: {request.reason}"[:300]
    if strays:
        return []
    held = collections.where(end_to_end_id=request.end_to_end_id, held=1)
    if not held:
        raise NotFound("not_held", "No result with this end-to-end id waits for a decision.")
    one = held[0]
    order = _known(orders, one.order_reference)
    one.decide(request.decision, request.by)
    order.revision += 1
    mine = collections.where(order_reference=one.order_reference)
    messages: list[Effect] = [EventFor(order.onboarding_id, one.booked(order.revision))]
    return messages + settle(order, mine)


def collect_again(
    request: CollectAgain,
    orders: Loaded[Order],
    mandates: Loaded[Mandate],
    collections: Loaded[Collection],
    settings: Settings,
    now: Now,
) -> Sequence[Effect]:
    """Ask KING once more, unless the money came or the customer left meanwhile."""
    order = _known(orders, request.order_reference)
    ledger = Ledger(order, mandates.get(order.mandate_key), collections, settings, now)
    return ledger.collect_again(after=request.attempt)


def remind_unsigned(request: RemindUnsigned, orders: Loaded[Order], now: Now) -> Sequence[Effect]:
    """The confirmation has not come back: remind the payer, with the same document."""
    order = _known(orders, request.order_reference)
    if order.signed or order.withdrawn:
        return []
    messages: list[Effect] = [*reminder_mails(order, request.times)]
    if request.times < REMINDERS:
        messages.append(_remind(order, request.times + 1, now))
    return messages


def _order(orders: Loaded[Order], onboarding_id: str) -> Order:
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
    if mandate.iban is None and event.payer.iban is not None:
        mandate.iban, mandate.account_holder = event.payer.iban, event.payer.account_holder
    return mandate


def _book_strays(ledger: Ledger, strays: Sequence[UnmatchedResult]) -> list[Effect]:
    """Book what was kept until the order appeared."""
    messages: list[Effect] = []
    for stray in strays:
        stray.open = 0
        messages += ledger.book(CollectionResult.model_validate(stray.result))
    return messages


def _known(orders: Loaded[Order], reference: str) -> Order:
    found = orders.where(reference=reference)
    if not found:
        raise NotFound("not_found", "There is no order by that reference.")
    return found[0]


def _remind(order: Order, times: int, now: Now) -> Scheduled:
    request = RemindUnsigned(order_reference=order.reference or "", times=times)
    key = f"remind_unsigned/{order.reference}/{times}"
    return Scheduled(request, now + REMIND_AFTER, key, about=order.onboarding_id)


def _look_again(reference: str, times: int, now: Now, result_id: str) -> Scheduled:
    request = MatchResults(order_reference=reference, times=times + 1)
    key = f"match_results/{result_id}/{times}"
    return Scheduled(request, now + LOOK_AGAIN[times], key)


SUBSCRIPTIONS = [
    on(
        RegistrationCompleted,
        place_order,
        loads=[ORDER, MANDATE_OF_EVENT, OPEN_UNMATCHED, COLLECTIONS_OF_SUBJECT],
    ),
    on(
        CollectionResult,
        book,
        loads=[ORDER_BY_REFERENCE, MANDATE_OF_ORDER, COLLECTIONS_OF_ORDER, OPEN_UNMATCHED],
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
