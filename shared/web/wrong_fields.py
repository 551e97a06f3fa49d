"""What is wrong with a field of a call, in a sentence for a person.

The library that reads bodies words its faults for programmers; its codes are kept, for programs.
"""

from collections.abc import Mapping
from typing import Any

from shared.base.words import as_sentence

SENTENCES: Mapping[str, str] = {
    "missing": "Fill in this field.",
    "missing_argument": "Fill in this field.",
    "extra_forbidden": "There is no such field; leave it out.",
    "string_type": "This must be text.",
    "string_unicode": "This must be text.",
    "string_too_short": "Give at least {min_length} characters.",
    "string_too_long": "Give at most {max_length} characters.",
    "string_pattern_mismatch": "This is not written as it should be; check it.",
    "too_short": "Give at least {min_length}.",
    "too_long": "Give at most {max_length}.",
    "list_type": "This must be a list.",
    "tuple_type": "This must be a list.",
    "dict_type": "This must be an object with fields.",
    "model_type": "This must be an object with fields.",
    "model_attributes_type": "This must be an object with fields.",
    "literal_error": "Choose one of: {expected}.",
    "enum": "Choose one of: {expected}.",
    "bool_type": "This must be true or false.",
    "bool_parsing": "This must be true or false.",
    "int_type": "This must be a whole number.",
    "int_parsing": "This must be a whole number.",
    "int_parsing_size": "This number is too large.",
    "int_from_float": "This must be a whole number.",
    "float_type": "This must be a number.",
    "float_parsing": "This must be a number.",
    "finite_number": "This must be a number.",
    "greater_than": "This must be more than {gt}.",
    "greater_than_equal": "This must be at least {ge}.",
    "less_than": "This must be less than {lt}.",
    "less_than_equal": "This must be at most {le}.",
    "date_type": "This must be a day, written as 2026-11-24.",
    "date_parsing": "This must be a day, written as 2026-11-24.",
    "date_from_datetime_parsing": "This must be a day, written as 2026-11-24.",
    "datetime_type": "This must be a moment, written as 2026-11-24T09:30:00Z.",
    "datetime_parsing": "This must be a moment, written as 2026-11-24T09:30:00Z.",
    "datetime_from_date_parsing": "This must be a moment, written as 2026-11-24T09:30:00Z.",
    "timezone_aware": "A moment needs an offset, as in 2026-11-24T09:30:00Z.",
    "uuid_type": "This must be a UUID.",
    "uuid_parsing": "This must be a UUID.",
    "json_invalid": "The body is not valid JSON.",
}
"""By the library's types of faults; what a sentence fills in is told with the fault."""

OTHERWISE = "This is not what belongs here; the OpenAPI document says what does."

COUNTS = {"too_short", "too_long"}
"""Said of lists, and of a text whose normal form is counted."""


def sentence_for(fault: Mapping[str, Any]) -> str:
    """What a person is told of one fault of a body or a query, as the library has it."""
    kind, told = str(fault["type"]), fault.get("ctx") or {}
    if kind == "value_error" and "error" in told:
        return as_sentence(str(told["error"]))
    if kind.endswith("too_short") and told.get("min_length") == 1:
        kind = "missing"
    if kind in COUNTS and told.get("field_type") == "Value":
        kind = f"string_{kind}"
    try:
        return SENTENCES[kind].format_map(
            {name: str(value).replace("'", "") for name, value in told.items()}
        )
    except KeyError:
        return OTHERWISE
