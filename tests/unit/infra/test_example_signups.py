"""The example sign-ups, as the website of any office sends them."""

import pytest

from infra.demo.simulators import website


@pytest.mark.parametrize("office", ["0042", "0077"])
def test_what_is_wrong_with_a_signup_is_not_its_office_unless_that_is_the_point(
    office: str,
) -> None:
    # Given the examples of sign-ups that are rejected, When an office's website sends them,
    wrong = website.mistakes(office)
    # Then they bear its code, and its name as their source,
    assert len(wrong) == len(website.examples(valid=False))
    strangers = [document for document in wrong if document["data"]["office_code"] != office]
    assert {document["source"] for document in wrong if document not in strangers} == {
        f"/website/{office}"
    }
    # but for the one whose office is what is wrong.
    assert [document["source"] for document in strangers] == ["/website/9999"]


def test_where_websites_are_vouched_for_no_stranger_speaks() -> None:
    codes = {
        document["data"]["office_code"] for document in website.mistakes("0077", strangers=False)
    }
    assert codes == {"0077"}


def test_an_office_that_is_there_is_no_stranger() -> None:
    # Given that the example's unknown office is the one that signs its clients up,
    wrong = website.mistakes("9999")
    # Then only what is wrong for another reason is sent.
    assert len(wrong) == len(website.examples(valid=False)) - 1
