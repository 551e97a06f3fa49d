"""What billing does upon each event and command.

The rules of collecting are in `collection`, those of signing in `confirmation`.
"""

from collections.abc import Sequence

from services.billing.collection.handlers import (
    book,
    collect_again,
    decide,
    match_results,
    resume_mandate,
    stop_mandate,
)
from services.billing.collection.process import CollectionProcess
from services.billing.collection.unmatched import book_unmatched
from services.billing.commands import (
    CollectAgain,
    DecideResult,
    MailCode,
    MatchResults,
    NotePosted,
    PrepareSigning,
    RemindUnsigned,
    ResumeMandate,
    SignOnline,
    SignOrder,
    StopMandate,
    WithdrawSignature,
)
from services.billing.confirmation.handlers import remind_unsigned, sign, withdraw_signature
from services.billing.confirmation.reminders import schedule_reminder
from services.billing.loads import (
    ALL_OF_MANDATE,
    COLLECTIONS_OF_ORDER,
    COLLECTIONS_OF_RESULT,
    COLLECTIONS_OF_STOPPED,
    COLLECTIONS_OF_SUBJECT,
    COLLECTIONS_UNDER_MANDATE,
    MANDATE_OF_EVENT,
    MANDATE_OF_ORDER,
    MANDATE_OF_RESULT,
    ORDER,
    ORDER_BY_REFERENCE,
    ORDER_OF_RESULT,
    ORDERS_OF_STOPPED,
    SIGNINGS_OF_ORDER,
    STOPPED_MANDATE,
    UNMATCHED_BEFORE_ORDER,
    UNMATCHED_BY_ID,
    UNMATCHED_OF_EVENT,
    UNMATCHED_OF_ORDER,
    UNSIGNED_OF_MANDATE,
)
from services.billing.mails import confirmation_mails, payer_address, withdrawal_mails
from services.billing.models import Collection, Mandate, Order, OrderTerms, UnmatchedResult
from services.billing.models.mandate import mandate_key
from services.billing.models.sepa_ids import ORDERS, mandate_reference, order_reference
from services.billing.models.terms import Account
from services.billing.signing.handlers import (
    mail_code,
    note_posted,
    prepare_signing,
    sign_online,
)
from shared.events import (
    CollectionResult,
    CustomerContactChanged,
    OnboardingWithdrawn,
    RegistrationCompleted,
)
from shared.events.envelope import Envelope
from shared.host.settings import Settings
from shared.processing import Effect, Loaded, Now, Numbers, on
from shared.trade.calendar import business_day
from shared.trade.catalogue import Catalogue


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
    reference = order_reference(today, numbers.take(ORDERS, envelope.id))
    mandate = _mandate_of(event, reference, mandates, settings)
    # Under a standing mandate KING collects from its account, whatever came with the order.
    active = mandate.active_on(today)
    account: Account = mandate if active else event.payer
    terms = OrderTerms.agree(catalogue.price(event.package), settings, today, account)
    order.place(event, reference, terms, mandate, today)
    process = CollectionProcess(order, mandate, collections, settings, now)
    effects: list[Effect] = []
    if not order.withdrawn:  # Nobody is asked to sign for a customer who left before.
        effects += confirmation_mails(order)
        if active and mandate.signed_on is not None:
            effects += process.sign("standing_mandate", mandate.signed_on, mandate.account_holder)
        else:
            effects += schedule_reminder(order, 1, now)
    return effects + book_unmatched(process, unmatched.where(order_reference=reference, open=1))


def withdraw(
    event: OnboardingWithdrawn,
    envelope: Envelope,
    orders: Loaded[Order],
    collections: Loaded[Collection],
    settings: Settings,
    now: Now,
) -> Sequence[Effect]:
    """Keep the withdrawal, cancel what KING need not collect, take a release back."""
    order = _get_or_add(orders, envelope.subject)
    if not order.withdraw():
        return []
    order.void_links(now)
    effects = CollectionProcess(order, None, collections, settings, now).withdraw(event.reason)
    return [*effects, *(withdrawal_mails(order) if order.placed else [])]


def change_contact(
    event: CustomerContactChanged, envelope: Envelope, orders: Loaded[Order], now: Now
) -> Sequence[Effect]:
    """Keep where the customer is mailed from now on, also when the order comes later.

    Where it is the payer who is mailed there, what was sent to the former address opens nothing
    any more.
    """
    if event.email is not None:
        order = _get_or_add(orders, envelope.subject)
        former = _mailed_to(order)
        order.change_contact(event.email, envelope.time, envelope.id)
        if former not in (None, _mailed_to(order)):
            order.void_links(now)
    return []


def _mailed_to(order: Order) -> str | None:
    """The payer's address; None while there is no order that was mailed to one."""
    return payer_address(order.reached_now())[1] if order.placed else None


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


SUBSCRIPTIONS = [
    on(
        RegistrationCompleted,
        place_order,
        loads=[ORDER, MANDATE_OF_EVENT, UNMATCHED_BEFORE_ORDER, COLLECTIONS_OF_SUBJECT],
    ),
    on(
        CollectionResult,
        book,
        loads=[ORDER_BY_REFERENCE, MANDATE_OF_ORDER, COLLECTIONS_OF_ORDER, UNMATCHED_OF_EVENT],
    ),
    on(OnboardingWithdrawn, withdraw, loads=[ORDER, COLLECTIONS_OF_SUBJECT]),
    on(CustomerContactChanged, change_contact, loads=[ORDER]),
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
    on(NotePosted, note_posted, loads=[ORDER_BY_REFERENCE]),
    on(
        PrepareSigning,
        prepare_signing,
        loads=[ORDER_BY_REFERENCE, MANDATE_OF_ORDER, SIGNINGS_OF_ORDER],
    ),
    on(MailCode, mail_code, loads=[ORDER_BY_REFERENCE, SIGNINGS_OF_ORDER]),
    on(
        SignOnline,
        sign_online,
        loads=[
            ORDER_BY_REFERENCE,
            MANDATE_OF_ORDER,
            UNSIGNED_OF_MANDATE,
            COLLECTIONS_UNDER_MANDATE,
            SIGNINGS_OF_ORDER,
        ],
    ),
    on(
        WithdrawSignature,
        withdraw_signature,
        loads=[
            ORDER_BY_REFERENCE,
            MANDATE_OF_ORDER,
            ALL_OF_MANDATE,
            COLLECTIONS_UNDER_MANDATE,
        ],
    ),
    on(
        DecideResult,
        decide,
        loads=[ORDER_OF_RESULT, MANDATE_OF_RESULT, COLLECTIONS_OF_RESULT, UNMATCHED_BY_ID],
    ),
    on(
        CollectAgain,
        collect_again,
        loads=[ORDER_BY_REFERENCE, MANDATE_OF_ORDER, COLLECTIONS_OF_ORDER],
    ),
    on(
        StopMandate,
        stop_mandate,
        loads=[STOPPED_MANDATE, ORDERS_OF_STOPPED, COLLECTIONS_OF_STOPPED],
    ),
    on(
        ResumeMandate,
        resume_mandate,
        loads=[STOPPED_MANDATE, ORDERS_OF_STOPPED, COLLECTIONS_OF_STOPPED],
    ),
    on(
        RemindUnsigned,
        remind_unsigned,
        loads=[ORDER_BY_REFERENCE, MANDATE_OF_ORDER, COLLECTIONS_OF_ORDER],
    ),
    on(
        MatchResults,
        match_results,
        loads=[ORDER_BY_REFERENCE, MANDATE_OF_ORDER, COLLECTIONS_OF_ORDER, UNMATCHED_OF_ORDER],
    ),
]
