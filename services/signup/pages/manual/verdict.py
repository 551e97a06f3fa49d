"""What would become of a document: judged by the rules of the doors, and not kept."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from services.signup.form.validation import check
from services.signup.loads import office_code_of
from services.signup.models import Office
from services.signup.pages.manual.fields import fields_of, unknown_fields
from services.signup.pages.manual.snippets import written
from shared.base.errors import FieldError, Malformed
from shared.events import CollectionResult, SignupSubmitted
from shared.events.envelope import parse, read_document
from shared.events.event import Event
from shared.events.shapes import Language
from shared.trade.catalogue import Catalogue
from shared.trade.form.warnings import warning_words
from shared.web.pages import Words

UNREADABLE = Words(
    "Dit is geen leesbare JSON: {reason}.", "This is no JSON that can be read: {reason}."
)
NO_OBJECT = Words(
    "Plak één object: het hele event, of alleen de gegevens.",
    "Paste one object: the whole event, or its data alone.",
)
ENVELOPE = Words("De envelop klopt niet: {reason}.", "The envelope is not right: {reason}.")
WRONG_TYPE = Words("Hier hoort {wanted} te staan.", "This should be {wanted}.")
WRONG_OFFICE = Words(
    "Deze pagina hoort bij kantoor {office}; vul die code in.",
    "This page is for office {office}; put that code here.",
)
MISSING = Words("Dit veld ontbreekt.", "This field is missing.")
EXPECTED = Words("Hier hoort: {kind}{choices}.", "This should be: {kind}{choices}.")
NO_REASON = Words(
    "Zonder reason_code weten wij niet of een nieuwe poging zin heeft; een mens moet dan kijken.",
    "Without a reason_code we do not know whether another attempt makes sense; a person must look.",
)
WENT_WRONG = frozenset({"failed", "returned", "refunded", "reversed"})


@dataclass(frozen=True)
class Verdict:
    """Whether it would be taken; what is wrong; what else is to be said; which fields are ignored.

    `normal` is the data as they would be kept, where they would.
    """

    errors: Sequence[FieldError] = ()
    remarks: Sequence[str] = ()
    ignored: Sequence[str] = ()
    normal: str | None = None
    is_reviewed: bool = False

    @property
    def is_taken(self) -> bool:
        """Whether it would be taken."""
        return not self.errors


class _Unfit(Exception):
    def __init__(
        self, field: str, code: str, words: Words, language: Language, **values: str
    ) -> None:
        super().__init__(code)
        message = words.in_(language).format(**values)
        self.error = FieldError(field=field, code=code, message=message[:500])


def judge_signup(
    text: str, office: Office, catalogue: Catalogue, now: datetime, language: Language
) -> Verdict:
    """What would become of a sign-up that this office's website sends."""
    try:
        data = _signup_in(text, office.code, language)
    except _Unfit as unfit:
        return Verdict([unfit.error])
    checked = check(data, catalogue=catalogue, office=office, now=now, language=language)
    ignored = unknown_fields(data, SignupSubmitted)
    if checked.submitted is None:
        return Verdict(checked.errors, ignored=ignored)
    normal = written(checked.submitted.model_dump(mode="json", exclude_none=True))
    is_reviewed = any(warning.needs_review for warning in checked.warnings)
    remarks = [
        warning_words(warning.code, warning.text).in_(language) for warning in checked.warnings
    ]
    return Verdict((), remarks, ignored, normal, is_reviewed or office.review == "always")


def judge_result(text: str, language: Language) -> Verdict:
    """What would become of a result that KING's billing reports."""
    try:
        data = _opened(text, CollectionResult, "/king-billing", language)
    except _Unfit as unfit:
        return Verdict([unfit.error])
    ignored = unknown_fields(data, CollectionResult)
    try:
        result = CollectionResult.model_validate(data)
    except ValidationError as refusal:
        return Verdict([*_told(refusal, language)], ignored=ignored)
    normal = written(result.model_dump(mode="json", exclude_none=True))
    lacks_reason = result.status in WENT_WRONG and result.reason_code is None
    return Verdict((), [NO_REASON.in_(language)] if lacks_reason else [], ignored, normal)


def _signup_in(text: str, office: str, language: Language) -> Mapping[str, Any]:
    """The sign-up in a document of this office's website.

    Raises:
        _Unfit: there is none, or it is another office's.
    """
    data = _opened(text, SignupSubmitted, f"/website/{office}", language)
    if office_code_of(data) != office:
        raise _Unfit("office_code", "wrong_office", WRONG_OFFICE, language, office=office)
    return data


def _opened(text: str, event: type[Event], source: str, language: Language) -> Mapping[str, Any]:
    """The data in a document, be it the event that holds them or the data alone.

    Raises:
        _Unfit: it is neither, or an event of another type or speaker.
    """
    try:
        document = parse(text.encode("utf-8", "replace"))
    except Malformed as refusal:
        raise _Unfit("", "json_invalid", UNREADABLE, language, reason=str(refusal)) from None
    if not isinstance(document, dict):
        raise _Unfit("", "not_object", NO_OBJECT, language)
    if "specversion" not in document and "data" not in document:
        return document
    try:
        envelope = read_document(document)
    except Malformed as refusal:
        raise _Unfit("", "event_malformed", ENVELOPE, language, reason=str(refusal)) from None
    for field, found, wanted in (
        ("type", envelope.type, event.event_type),
        ("source", envelope.source, source),
    ):
        if found != wanted:
            raise _Unfit(field, f"{field}_wrong", WRONG_TYPE, language, wanted=wanted)
    return envelope.data


def _told(refusal: ValidationError, language: Language) -> Iterator[FieldError]:
    """What is wrong with each field of a result, in the words of the page."""
    fields = {field.name: field for field in fields_of(CollectionResult)}
    for error in refusal.errors(include_input=False, include_url=False):
        field = fields[str(error["loc"][0])]
        choices = f" ({', '.join(field.choices)})" if field.choices else ""
        words = MISSING if error["type"] == "missing" else EXPECTED
        message = words.in_(language).format(kind=field.kind.in_(language), choices=choices)
        yield FieldError(field=field.name, code=str(error["type"])[:80], message=message)
