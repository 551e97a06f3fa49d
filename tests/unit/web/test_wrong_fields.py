"""What is wrong with the fields of a call, told in sentences for a person."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pytest
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.base.errors import FieldError
from shared.events.shapes import Day, Moment
from shared.trade.contact import EmailAddress
from shared.trade.text import PlainLine
from shared.web.problems import as_problem
from shared.web.wrong_fields import SENTENCES

PYDANTICS = ("Input", "Value", "valid ", "validation", "required", "type", "Error", "item")
"""Words of the library's own messages, which are about types and not about what to do."""


class Paper(BaseModel):
    """A body with a field of every kind that our calls have."""

    model_config = ConfigDict(extra="forbid")

    signed_by: Annotated[PlainLine, Field(min_length=1, max_length=5)] = "x"
    name: Annotated[str, Field(min_length=2, max_length=5, pattern="^[a-z]+$")] = "xx"
    email: EmailAddress | None = None
    day: Day | None = None
    moment: Moment | None = None
    method: Literal["post", "fax"] = "post"
    cents: Annotated[int, Field(ge=0, lt=10)] = 0
    signed: bool = False
    places: Annotated[list[str], Field(min_length=1, max_length=2)] = ["x"]
    part: "Paper | None" = None
    facts: dict[str, str] | None = None


def told(model: type[BaseModel], body: object) -> FieldError:
    """What whoever sends this is told of its one field at fault."""
    with pytest.raises(ValidationError) as refusal:
        model.model_validate(body)
    faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in refusal.value.errors()]
    (error,) = as_problem(RequestValidationError(faults), "/").errors
    return error


@pytest.mark.parametrize(
    ("body", "field", "code", "message"),
    [
        ({"signed_by": " "}, "signed_by", "too_short", "Fill in this field."),
        ({"signed_by": "x" * 6}, "signed_by", "too_long", "Give at most 5 characters."),
        ({"signed_by": None}, "signed_by", "string_type", "This must be text."),
        ({"name": ""}, "name", "string_too_short", "Give at least 2 characters."),
        ({"name": "x" * 6}, "name", "string_too_long", "Give at most 5 characters."),
        (
            {"email": "anna"},
            "email",
            "value_error",
            "An email address must have an @-sign.",
        ),
        ({"day": "2026"}, "day", "value_error", "A day must be written as 2026-11-24."),
        ({"method": "duif"}, "method", "literal_error", "Choose one of: post or fax."),
        ({"cents": "x"}, "cents", "int_parsing", "This must be a whole number."),
        ({"cents": -1}, "cents", "greater_than_equal", "This must be at least 0."),
        ({"cents": 10}, "cents", "less_than", "This must be less than 10."),
        ({"places": []}, "places", "too_short", "Fill in this field."),
        ({"places": ["x"] * 3}, "places", "too_long", "Give at most 2."),
        ({"places": "x"}, "places", "list_type", "This must be a list."),
        ({"bsn": "1"}, "bsn", "extra_forbidden", "There is no such field; leave it out."),
        ([], "body", "model_type", "This must be an object with fields."),
    ],
)
def test_a_wrong_field_is_told_in_a_sentence(
    body: object, field: str, code: str, message: str
) -> None:
    # Given a body with one wrong field, when it is sent,
    error = told(Paper, body)
    # Then the field and its code are those of before, and the sentence says what to do.
    assert (error.field, error.code, error.message) == (field, code, message)


WRONG: list[Mapping[str, Any]] = [
    {"name": "UP"},
    {"moment": "gisteren"},
    {"signed": "misschien"},
    {"signed": []},
    {"cents": 1.5},
    {"cents": []},
    {"cents": "9" * 5000},
    {"part": 7},
    {"facts": 7},
]


@pytest.mark.parametrize("body", WRONG, ids=lambda body: next(iter(body)))
def test_no_sentence_is_the_librarys_own(body: Mapping[str, Any]) -> None:
    message = told(Paper, body).message
    assert message[0].isupper()
    assert message.endswith(".")
    assert not any(word in message for word in PYDANTICS)


def test_a_field_that_is_left_out_is_to_be_filled_in() -> None:
    class Slip(BaseModel):
        reason: str

    assert told(Slip, {}).message == "Fill in this field."


def test_what_has_no_sentence_of_its_own_is_said_in_one_all_the_same() -> None:
    fault = {"type": "of_tomorrow", "loc": ("body", "x"), "msg": "Input should be a valid Q"}
    (error,) = as_problem(RequestValidationError([fault]), "/").errors
    assert "OpenAPI" in error.message
    assert "of_tomorrow" not in SENTENCES
