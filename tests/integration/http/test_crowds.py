"""Sign-ups that come all at once, as when a website sends what it kept: each has its own answer."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import uuid4

import httpx

from tests.e2e.api import Api
from tests.integration.http.test_doors import is_problem

CROWD = 24


def test_each_of_a_crowd_has_the_answer_that_it_would_have_alone(api: Api) -> None:
    # Given sign-ups, among them wrong ones, one that is sent four times under one key, and another
    # that has the key of an earlier one,
    token, everybody = api.token("signup:submit"), Barrier(CROWD)
    used, repeated = f"form-{uuid4()}", f"form-{uuid4()}"
    assert _send(api, token, api.form(), used).status_code == 202
    wrong = api.form()
    wrong["customer"]["kvk"] = "1"
    same = api.form()
    forms = [(api.form(), f"form-{uuid4()}") for _ in range(CROWD - 8)]
    forms += [(wrong, f"form-{uuid4()}") for _ in range(3)]
    forms += [(same, repeated)] * 4 + [(api.form(), used)]

    def send(form: dict[str, Any], key: str) -> httpx.Response:
        everybody.wait()
        return _send(api, token, form, key)

    # When they are sent at once,
    with ThreadPoolExecutor(CROWD) as threads:
        answers = [each.result() for each in [threads.submit(send, *one) for one in forms]]
    # Then each is answered as it would be alone,
    expected = [202] * (CROWD - 8) + [422] * 3 + [202] * 4 + [422]
    assert [answer.status_code for answer in answers] == expected, answers[-1].text
    # with a reference of its own, and one for what is the same,
    told = [answer.json() for answer in answers if answer.status_code == 202]
    references = [each["reference"] for each in told]
    assert len(set(references)) == CROWD - 7
    assert len(set(references[-4:])) == 1
    # and each goes its way.
    for each in told:
        api.waits_for(each["onboarding_id"], "signature_missing")


def test_of_a_crowd_of_corrections_under_one_key_one_is_taken(api: Api) -> None:
    # Given a form that was refused,
    token, everybody, key = api.token("signup:submit"), Barrier(CROWD), f"form-{uuid4()}"
    wrong = api.form()
    wrong["customer"]["kvk"] = "1"
    assert _send(api, token, wrong, key).status_code == 422
    forms = [api.form() for _ in range(CROWD)]

    def send(form: dict[str, Any]) -> httpx.Response:
        everybody.wait()
        return _send(api, token, form, key)

    # When it comes corrected in as many ways at once, all under its key,
    with ThreadPoolExecutor(CROWD) as threads:
        answers = list(threads.map(send, forms))
    # Then one of them is taken, and the others are told that the key was used.
    taken = [answer for answer in answers if answer.status_code == 202]
    assert len(taken) == 1, [answer.text for answer in answers]
    for answer in answers:
        assert answer in taken or is_problem(answer, 422, "idempotency_key_reused"), answer.text
    api.waits_for(taken[0].json()["onboarding_id"], "signature_missing")


def _send(api: Api, token: str, form: dict[str, Any], key: str) -> httpx.Response:
    headers = {"Idempotency-Key": key}
    return api.call("POST", "/api/signups", token, json=form, headers=headers)
