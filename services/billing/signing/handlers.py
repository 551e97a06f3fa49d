"""What billing does when the payer returns the confirmation by themselves."""

import hmac
from collections.abc import Sequence
from datetime import timedelta

from services.billing.commands import MailCode, NotePosted, PrepareSigning, SignOnline, SignOrder
from services.billing.confirmation.handlers import sign
from services.billing.confirmation.signing import account_on_paper
from services.billing.mails import payer_address, signing_code_mail
from services.billing.models import Collection, Mandate, OnlineSigning, Order
from services.billing.orders import require_order
from shared.base.errors import Conflict, FieldError, Invalid, NotFound
from shared.host.settings import Settings
from shared.processing import Effect, Loaded, Now
from shared.trade.calendar import business_day

RESEND_PAUSE = timedelta(minutes=2)
CODES_PER_DAY = 6
"""For one order: enough for whoever mistypes, too few to guess with (5 tries each) or to annoy."""
DAY = timedelta(days=1)


def note_posted(command: NotePosted, orders: Loaded[Order], now: Now) -> Sequence[Effect]:
    """Keep that the payer has posted the signed paper; reminders wait for it.

    Raises:
        Conflict: the order is withdrawn, or signed.
        Invalid: nobody can have posted it on that day.
    """
    order = require_order(orders, command.order_reference)
    require_unsigned(order)
    day, before = command.posted_on, order.placed_on or command.posted_on
    if not before <= day <= business_day(now):
        message = f"Choose a day from {before} to today."
        error = FieldError(field="posted_on", code="not_then", message=message)
        raise Invalid("invalid", message, errors=[error])
    order.note_returned(now, posted_on=day)
    return []


def prepare_signing(
    command: PrepareSigning,
    orders: Loaded[Order],
    mandates: Loaded[Mandate],
    signings: Loaded[OnlineSigning],
    now: Now,
) -> Sequence[Effect]:
    """Keep what the payer wants to sign, and have a code sent to their own address.

    Raises:
        Conflict: it cannot be signed, or a code was sent just now or too often.
        Invalid: no IBAN is known yet.
    """
    order = require_order(orders, command.order_reference)
    if command.signing_id in signings:
        return []  # The same form, sent twice.
    mandate = _require_signable(order, mandates)
    account_on_paper(_signature(order, command, now), order, mandate)
    _make_way(signings.where(onboarding_id=order.onboarding_id), now)
    signing = OnlineSigning(
        id=command.signing_id,
        onboarding_id=order.onboarding_id,
        sent_to=payer_address(order.reached_now())[1],
        asked_at=now,
        codes=1,
        tries=0,
        **command.model_dump(exclude={"order_reference", "signing_id"}),
    )
    return [signing_code_mail(order, signings.add(signing))]


def mail_code(
    command: MailCode, orders: Loaded[Order], signings: Loaded[OnlineSigning], now: Now
) -> Sequence[Effect]:
    """Have a fresh code sent for a signature that waits for one; the former code is void then.

    Raises:
        Conflict: it waits for none, or a code was sent just now or too often.
        NotFound: there is no such signature of this order.
    """
    order = require_order(orders, command.order_reference)
    signing = _require_signing(signings, command.signing_id, order)
    if not signing.open:
        raise Conflict("signing_over", "This signature needs no code any more; begin again.")
    require_pause(signings.where(onboarding_id=order.onboarding_id), now)
    signing.asked_at, signing.codes = now, signing.codes + 1
    signing.sent_to = payer_address(order.reached_now())[1]
    signing.code_expires_at = now  # The former one is void from here on.
    return [signing_code_mail(order, signing)]


def sign_online(
    command: SignOnline,
    orders: Loaded[Order],
    mandates: Loaded[Mandate],
    collections: Loaded[Collection],
    signings: Loaded[OnlineSigning],
    settings: Settings,
    now: Now,
) -> Sequence[Effect]:
    """Sign the order with the code that was mailed; a wrong code counts, and changes nothing else.

    What became of it stands in the signature: a refusal would forget that a code was tried.

    Raises:
        Conflict: it is signed with other data, or withdrawn.
        Invalid: no IBAN is known.
        NotFound: there is no such signature of this order.
    """
    order = require_order(orders, command.order_reference)
    signing = _require_signing(signings, command.signing_id, order)
    if not signing.takes(now):
        return []
    if not hmac.compare_digest(signing.code_hash or "", command.code_hash):
        signing.tries += 1
        return []
    signature = _signature(order, signing, now)
    effects = sign(signature, orders, mandates, collections, settings, now)
    signing.complete(now, command.address, command.user_agent)
    return effects


def require_unsigned(order: Order) -> None:
    """Refuse what only helps while the confirmation is to be signed.

    Raises:
        Conflict: it is signed, or the order was withdrawn.
    """
    if order.withdrawn:
        raise Conflict("order_withdrawn", "This order was withdrawn; it cannot be signed.")
    if order.signed:
        raise Conflict("already_signed", "This order is signed already.")


def require_pause(signings: Sequence[OnlineSigning], now: Now) -> None:
    """Refuse to send code after code: nobody's mailbox is to be filled, and no code guessed.

    Raises:
        Conflict: one was sent in the last minutes, or too many in the last day.
    """
    recent = [signing for signing in signings if signing.asked_at > now - DAY]
    if any(signing.asked_at > now - RESEND_PAUSE for signing in recent):
        raise Conflict("code_just_sent", "A code was sent just now; wait two minutes for another.")
    if sum(signing.codes for signing in recent) >= CODES_PER_DAY:
        raise Conflict("codes_used_up", "Too many codes were sent today; try again tomorrow.")


def _make_way(others: Sequence[OnlineSigning], now: Now) -> None:
    """Void what was begun before, unless that was just now."""
    require_pause(others, now)
    for other in others:
        other.void(now)


def _signature(order: Order, given: PrepareSigning | OnlineSigning, now: Now) -> SignOrder:
    """What KING would record of the signed paper, as the payer gave it online."""
    return SignOrder(
        order_reference=order.reference or "",
        method="online",
        signed_on=business_day(now),
        signed_by=given.name,
        iban=given.iban,
        account_holder=given.account_holder,
    )


def _require_signable(order: Order, mandates: Loaded[Mandate]) -> Mandate:
    """The order's mandate; refuses to prepare what could not be signed with any code.

    Raises:
        Conflict: it is withdrawn or signed, or a person must look first.
    """
    mandate = mandates.get(order.mandate_key)
    if mandate is None or mandate.stopped:
        raise Conflict("not_now", "This cannot be signed now; please call us.")
    if order.withdrawn or not mandate.refused:
        require_unsigned(order)
    return mandate


def _require_signing(
    signings: Loaded[OnlineSigning], signing_id: str, order: Order
) -> OnlineSigning:
    signing = signings.get(signing_id)
    if signing is None or signing.onboarding_id != order.onboarding_id:
        raise NotFound("not_found", "There is no such signature; begin again.")
    return signing
