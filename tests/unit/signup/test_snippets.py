"""The lines that webmasters copy are filled in, whatever the office is called by."""

import json

import pytest

from services.signup.pages.manual.snippets import example_signup, snippet


@pytest.mark.parametrize("code", ["0042", "@@BODY@@", "@@ADDRESS@@", 'a"b', "a\\b"])
def test_each_place_is_filled_in_once(code: str) -> None:
    # Given an office by this code, When its lines are made, Then the document in them is whole.
    lines = snippet("amqp", "https://here.example", code, example_signup(code))
    document, _ = json.JSONDecoder().raw_decode(lines.partition("signup = ")[2])
    assert document == example_signup(code)
    # And its code stands wherever it is named, and nothing else does.
    assert lines.count(json.dumps(f"/website/{code}", ensure_ascii=False)) == 1
    assert lines.count(json.dumps(f"stappenplan.website.{code}", ensure_ascii=False)) == 1
