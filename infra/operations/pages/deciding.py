"""What an operator decides: retry, perhaps corrected, or drop; a note, an owner, on hold."""

import json
from collections.abc import Callable, Sequence

from fastapi import APIRouter, Request, Response

from infra.operations.dead_letters import decisions
from infra.operations.dead_letters.foretelling import Foretold
from infra.operations.pages.here import Operator, finder
from infra.operations.pages.letters import (
    as_listed,
    correction_page,
    group_or_404,
    group_page,
    letter_page,
    load_or_404,
)
from infra.operations.pages.rehearsing import rehearsal_page
from shared.base.errors import FieldError
from shared.base.words import Words
from shared.host.requests import WriteContext
from shared.host.runtime import Runtime
from shared.processing.resolutions import NotDeadLettered, WouldBeRejected
from shared.processing.store import decisions as records
from shared.processing.store import triage
from shared.processing.store.triage import Care
from shared.trade.text import plain_lines
from shared.web.auth import Caller
from shared.web.pages import Posted, PostedForm, language_of, pages_router, see_other

MOST_AT_ONCE = 200
"""Letters of a group that one press retries; what is left is still there."""
MOST_CHARACTERS = 2000

WHY_NEEDED = Words(
    "Vul in waarom; dat blijft bij het bericht bewaard.", "Say why; it is kept with the message."
)
TOO_LONG = Words("Vul hoogstens 2000 tekens in.", "Use at most 2000 characters.")
NO_JSON = Words(
    "Dit is geen geldige JSON: kijk bij regel {line}, teken {column}.",
    "This is not valid JSON: look at line {line}, character {column}.",
)
NOT_PLAIN = Words(
    "Gebruik gewone tekst zonder burgerservicenummer.",
    "Use plain text, without a citizen number.",
)


class _Wrong(Exception):
    """A field was filled in wrongly."""

    def __init__(self, field: str, words: Words) -> None:
        super().__init__(field)
        self.field, self.words = field, words

    def errors(self, request: Request) -> list[FieldError]:
        """The same beside its field."""
        message = self.words.in_(language_of(request))
        return [FieldError(field=self.field, code="invalid", message=message)]


def decision_routes(runtimes: Sequence[Runtime]) -> APIRouter:
    """What is posted; each ends on a page that shows what came of it."""
    routes, find = pages_router(prefix="/operations"), finder(runtimes)

    @routes.post("/{service}/groups/{group_id}/retry")
    def retry_group(
        request: Request, service: str, group_id: str, operator: Operator, form: Posted
    ) -> Response:
        return _retry_group(request, find(service), group_id, operator, form)

    @routes.post("/{service}/letters/{letter_id:path}/retry")
    def retry(
        request: Request, service: str, letter_id: str, operator: Operator, form: Posted
    ) -> Response:
        return _decide(request, find(service), letter_id, form, "retried", _retry(operator))

    @routes.post("/{service}/letters/{letter_id:path}/drop")
    def drop(
        request: Request, service: str, letter_id: str, operator: Operator, form: Posted
    ) -> Response:
        return _decide(request, find(service), letter_id, form, "dropped", _drop(operator))

    @routes.post("/{service}/letters/{letter_id:path}/correct")
    def correct(
        request: Request, service: str, letter_id: str, operator: Operator, form: Posted
    ) -> Response:
        return _correct(request, find(service), letter_id, operator, form)

    @routes.post("/{service}/letters/{letter_id:path}/care")
    def care(
        request: Request, service: str, letter_id: str, operator: Operator, form: Posted
    ) -> Response:
        return _care(request, find(service), letter_id, operator, form)

    return routes


Decide = Callable[[Runtime, str, PostedForm, str], object]


def _retry(operator: Caller, correction: bytes | None = None) -> Decide:
    def decide(runtime: Runtime, letter_id: str, form: PostedForm, why: str) -> None:
        decisions.retry(
            runtime.database,
            runtime.engine.decoder,
            letter_id,
            by=operator.person,
            why=why,
            at=runtime.clock(),
            correction=correction,
            round_id=form.key,
        )
        runtime.wake()

    return decide


def _drop(operator: Caller) -> Decide:
    def decide(runtime: Runtime, letter_id: str, form: PostedForm, why: str) -> None:
        decisions.drop(
            runtime.database,
            letter_id,
            by=operator.person,
            why=why,
            at=runtime.clock(),
            round_id=form.key,
        )

    return decide


def _decide(
    request: Request,
    runtime: Runtime,
    letter_id: str,
    form: PostedForm,
    done: str,
    decide: Decide,
) -> Response:
    """Decide about one letter; the very form once more has been taken already."""
    path = f"/operations/{runtime.service.name}/letters/{letter_id}"
    try:
        decide(runtime, letter_id, form, _text(form, "why", WHY_NEEDED) or "")
    except _Wrong as wrong:
        view = form.view(wrong.errors(request))
        return letter_page(request, runtime, letter_id, form=view)
    except (NotDeadLettered, WouldBeRejected) as refusal:
        if not _was_taken(runtime, form):
            return letter_page(request, runtime, letter_id, refusal=str(refusal))
    return see_other(path, done=done)


def _was_taken(runtime: Runtime, form: PostedForm) -> bool:
    with runtime.reading() as session:
        return bool(records.of_round(session, form.key))


def _retry_group(
    request: Request, runtime: Runtime, name: str, operator: Caller, form: PostedForm
) -> Response:
    progress = f"/operations/{runtime.service.name}/rounds/{form.key}"
    if _was_taken(runtime, form):
        return see_other(progress)
    group = group_or_404(runtime, name)
    try:
        why = _text(form, "why", WHY_NEEDED) or ""
    except _Wrong as wrong:
        return group_page(request, runtime, name, form=form.view(wrong.errors(request)))
    chosen, refused, decide = group.open_letters[:MOST_AT_ONCE], [], _retry(operator)
    for letter in chosen:
        try:
            decide(runtime, letter.id, form, why)
        except (NotDeadLettered, WouldBeRejected) as refusal:
            refused.append(str(refusal))
    if len(refused) == len(chosen):
        return group_page(request, runtime, name, form=form.view(), refused=refused or [""])
    left = str(len(group.letters) - len(chosen) + len(refused))
    return see_other(progress, **({"left": left, "group": name} if left != "0" else {}))


def _correct(
    request: Request, runtime: Runtime, letter_id: str, operator: Caller, form: PostedForm
) -> Response:
    """Rehearse a corrected letter, or retry it so."""
    try:
        correction = _json(form)
        if form.text("action") == "rehearse":
            letter = as_listed(runtime, load_or_404(runtime, letter_id)[0])
            foretold = Foretold.of(runtime.engine.rehearse(letter.id, correction))
            name, body = runtime.service.name, correction.decode()
            return rehearsal_page(request, name, letter, foretold, body)
        why = _text(form, "why", WHY_NEEDED) or ""
        _retry(operator, correction)(runtime, letter_id, form, why)
    except _Wrong as wrong:
        view = form.view(wrong.errors(request))
        return correction_page(request, runtime, letter_id, form=view)
    except (NotDeadLettered, WouldBeRejected) as refusal:
        if not _was_taken(runtime, form):
            view = form.view()
            return correction_page(request, runtime, letter_id, form=view, refusal=str(refusal))
    return see_other(f"/operations/{runtime.service.name}/letters/{letter_id}", done="retried")


def _care(
    request: Request, runtime: Runtime, letter_id: str, operator: Caller, form: PostedForm
) -> Response:
    shown, before = load_or_404(runtime, letter_id)
    try:
        note = _text(form, "note")
    except _Wrong as wrong:
        view = form.view(wrong.errors(request))
        return letter_page(request, runtime, letter_id, form=view)
    owner = before.owner if before else None
    if form.checked("mine"):
        owner = operator.name
    elif owner == operator.name:
        owner = None
    care = Care(note, owner, form.checked("on_hold"))
    letter = as_listed(runtime, shown)

    def put(context: WriteContext) -> None:
        triage.put(context.session, shown.id, care, operator.name, context.now)
        about = decisions.subject_of(letter.subject, shown.id)
        context.record("dead_letter.note", about, {"letter": shown.id, "on_hold": care.on_hold})

    runtime.write(put, subject=decisions.subject_of(letter.subject, shown.id), by=operator.person)
    return see_other(f"/operations/{runtime.service.name}/letters/{shown.id}", done="noted")


def _text(form: PostedForm, name: str, needed: Words | None = None) -> str | None:
    """A text as people may write one; the field is wrong where it must not be blank."""
    try:
        text = plain_lines(form.text(name))
    except ValueError:
        raise _Wrong(name, NOT_PLAIN) from None
    if text is None and needed is not None:
        raise _Wrong(name, needed)
    if isinstance(text, str) and len(text) > MOST_CHARACTERS:
        raise _Wrong(name, TOO_LONG)
    return text if isinstance(text, str) else None


def _json(form: PostedForm) -> bytes:
    """The corrected body: the decoder judges what it says, here it must be JSON alone."""
    text = form.text("body") or ""
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        place = {"line": getattr(error, "lineno", 1), "column": getattr(error, "colno", 1)}
        words = Words(NO_JSON.nl.format(**place), NO_JSON.en.format(**place))
        raise _Wrong("body", words) from None
    return text.encode()
