"""What an operator does about what failed: read, rehearse, correct, retry, drop, and tell."""

import json
import re
from uuid import uuid4

from tests.e2e.api import Api
from tests.e2e.king import Event
from tests.integration.pages.operations.conftest import Failures
from tests.servers.premises import wait_until
from tests.visitors import Visitor, words_of

BILLING = "/operations/billing"


def path_of(letter_id: str) -> str:
    return f"{BILLING}/letters/{letter_id}"


def customer_with_order(api: Api) -> tuple[str, str]:
    """A customer who waits for KING: the onboarding id, and the company."""
    onboarding_id = api.sign_up()
    api.order_of(onboarding_id)
    return onboarding_id, str(api.stage.onboarding(onboarding_id)["company"])  # type: ignore[index]


def group_of(visitor: Visitor, letter_id: str) -> str:
    """The path of the group among whose letters one stands."""
    paths = re.findall(rf'href="({BILLING}/groups/[0-9a-f]+)"', visitor.get(BILLING).text)
    (found,) = [path for path in paths if letter_id in visitor.get(path).text]
    return str(found)


def mended(event: Event) -> str:
    return json.dumps({**event, "data": {**event["data"], "attempt": 1}})


def test_a_correction_that_no_reader_takes_is_told_beside_its_field(
    operator: Visitor, failures: Failures
) -> None:
    # Given something that failed at billing, and brackets within brackets without an end
    letter_id, _ = failures.report()
    # When an operator puts them in its place, Then the field says so, as of any other slip.
    answer = operator.post(f"{path_of(letter_id)}/correct", body="[" * 30_000, why="x")
    assert (answer.status_code, "geldige JSON" in words_of(answer)) == (422, True)


def test_a_long_correction_is_taken_as_far_as_its_field_goes(
    operator: Visitor, failures: Failures
) -> None:
    # Given a report that was refused, and a correction that is nearly as long as may be typed
    letter_id, event = failures.report()
    event["data"] |= {"note": "é" * 50_000}
    body = json.dumps({**event, "data": {**event["data"], "attempt": 1}}, ensure_ascii=False)
    # When the operator rehearses it, Then its length is nothing that stands in the way.
    answer = operator.post(f"{path_of(letter_id)}/correct", body=body, action="rehearse")
    assert "Het zou lukken" in words_of(answer)


def test_the_services_are_shown_as_the_steps_they_own_with_a_lamp(
    operator: Visitor, failures: Failures
) -> None:
    # Given something that failed at billing
    failures.report()
    # When an operator opens the page of all services, without any script
    page = operator.get("/operations")
    # Then each is there with its steps, and billing asks for attention.
    shown = words_of(page)
    for step in ("INSCHRIJVEN", "AANMELDEN", "INRICHTEN", "BEVESTIGEN", "VRIJGEVEN", "ACTIVEREN"):
        assert step in shown
    billing = words_of(operator.get(f"{BILLING}/part"))
    assert "vraagt aandacht" in billing
    assert "VRIJGEVEN" in billing


def test_what_failed_stands_with_its_customer_and_the_step_where_he_waits(
    operator: Visitor, failures: Failures, api: Api
) -> None:
    # Given a customer about whom KING reports what nobody can read
    onboarding_id, company = customer_with_order(api)
    letter_id, _ = failures.report(about=onboarding_id)
    # When an operator looks at billing
    page = operator.get(BILLING)
    # Then the letter bears his name and his step, and leads to all that is known of it.
    assert path_of(letter_id) in page.text
    assert company in words_of(page)
    shown = words_of(operator.get(path_of(letter_id)))
    assert company in shown
    assert "VRIJGEVEN" in shown
    assert "data.attempt" in shown or "attempt" in shown
    assert '"currency": "EUR"' in shown


def test_letters_that_died_of_the_same_are_one_group_whomever_they_are_about(
    operator: Visitor, failures: Failures
) -> None:
    first, _ = failures.report(order_reference="O-2026-111111")
    second, _ = failures.report(order_reference="O-2026-222222")
    other, _ = failures.report(attempt=1, amount_cents="veel")
    assert group_of(operator, first) == group_of(operator, second)
    assert group_of(operator, first) != group_of(operator, other)


def test_a_correction_is_rehearsed_before_it_is_run_and_changes_nothing_by_that(
    operator: Visitor, failures: Failures
) -> None:
    # Given a report that was refused, and its correction beside the original
    letter_id, event = failures.report()
    form = operator.get(f"{path_of(letter_id)}/correct")
    assert form.text.count("O-2026-999999-1") == 2
    # When the operator rehearses it
    tried = operator.post(f"{path_of(letter_id)}/correct", body=mended(event), action="rehearse")
    # Then what would be written is shown,
    shown = words_of(tried)
    assert "Het zou lukken" in shown
    assert "Nieuw: " in shown
    assert "O-2026-999999" in shown
    # and nothing was: it still waits for a decision, and billing knows of no such result.
    assert letter_id in failures.dead()
    # When it is retried so in earnest
    fields = {"body": mended(event), "action": "retry", "why": "KING schreef een woord"}
    done = operator.post(f"{path_of(letter_id)}/correct", fields)
    # Then it runs, although no time passes, with who did it, why, and what came first.
    assert "opnieuw aangeboden" in words_of(done)
    wait_until(lambda: "gelukt" in words_of(operator.get(path_of(letter_id))), "it has run", 20)
    shown = words_of(operator.get(path_of(letter_id)))
    assert "O. Beheer" in shown
    assert "KING schreef een woord" in shown
    assert "Zoals het binnenkwam" in shown
    assert letter_id not in failures.dead()


def test_a_correction_that_is_wrong_is_told_so_with_all_that_was_typed(
    operator: Visitor, failures: Failures
) -> None:
    letter_id, event = failures.report()
    path = f"{path_of(letter_id)}/correct"
    # No JSON at all: where to look.
    broken = operator.post(path, body='{"specversion": <b>', action="retry", why="x")
    assert broken.status_code == 422
    assert "regel 1, teken 17" in words_of(broken)
    assert "&lt;b&gt;" in broken.text
    # What the decoder refuses: in its own words, for a rehearsal and a retry alike.
    still_wrong = json.dumps(event)
    for action in ("rehearse", "retry"):
        answer = operator.post(path, body=still_wrong, action=action, why="x")
        assert answer.status_code == 422
        assert "would be refused again" in words_of(answer)
    # No reason: nothing is done.
    answer = operator.post(path, body=mended(event), action="retry")
    assert answer.status_code == 422
    assert "Vul in waarom" in words_of(answer)
    assert letter_id in failures.dead()


def test_a_form_that_is_sent_twice_decides_once(operator: Visitor, failures: Failures) -> None:
    letter_id, event = failures.report()
    fields = {"form_key": str(uuid4()), "body": mended(event), "action": "retry", "why": "x"}
    answers = [operator.post(f"{path_of(letter_id)}/correct", fields) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert words_of(answers[1]).count("Opnieuw aangeboden") == 1


def test_a_decision_that_somebody_else_made_is_shown_with_their_name(
    operator: Visitor, colleague: Visitor, failures: Failures
) -> None:
    letter_id, _ = failures.report()
    dropped = operator.post(f"{path_of(letter_id)}/drop", why="KING stuurt een nieuwe")
    assert "terzijde gelegd" in words_of(dropped)
    late = colleague.post(f"{path_of(letter_id)}/retry", why="ik ook")
    assert late.status_code == 409
    assert "O. Beheer decided" in words_of(late)
    assert "KING stuurt een nieuwe" in words_of(late)


def test_what_would_be_refused_again_stays_where_it_is(
    operator: Visitor, failures: Failures
) -> None:
    letter_id, _ = failures.report()
    rehearsed = words_of(operator.get(f"{path_of(letter_id)}/rehearsal"))
    assert "would be refused again" in rehearsed
    answer = operator.post(f"{path_of(letter_id)}/retry", why="nog eens")
    assert answer.status_code == 409
    assert "Er is niets veranderd" in words_of(answer)
    assert letter_id in failures.dead()


def test_colleagues_see_whose_it_is_what_is_noted_and_that_it_is_held(
    operator: Visitor, colleague: Visitor, failures: Failures
) -> None:
    # Given a letter that an operator takes up and holds
    letter_id, _ = failures.report()
    fields = {"note": "Wacht op <KING>", "mine": "yes", "on_hold": "yes"}
    assert "bewaard" in words_of(operator.post(f"{path_of(letter_id)}/care", fields))
    # Then a colleague sees so, in the list and on its page,
    shown = words_of(colleague.get(path_of(letter_id)))
    assert "opgepakt door O. Beheer" in shown
    assert "aangehouden" in shown
    page = colleague.get(group_of(colleague, letter_id))
    assert "Wacht op <KING>" in words_of(page)
    # and who saves the note alone takes nothing over.
    colleague.post(f"{path_of(letter_id)}/care", note="Ook gezien", on_hold="yes")
    assert "opgepakt door O. Beheer" in words_of(operator.get(path_of(letter_id)))
    colleague.post(f"{path_of(letter_id)}/care", note="Van mij nu", mine="yes")
    assert "opgepakt door P. Ploeg" in words_of(operator.get(path_of(letter_id)))


def test_a_group_is_rehearsed_and_retried_as_one_but_for_what_is_held(
    operator: Visitor, failures: Failures
) -> None:
    # Given three letters that died of the same, of which one is on hold
    held, *others = failures.exhausted(3, error="ConnectionError: the bank's register is down")
    operator.post(f"{path_of(held)}/care", on_hold="yes")
    group = group_of(operator, held)
    assert {group_of(operator, other) for other in others} == {group}
    # When the group is rehearsed
    shown = words_of(operator.get(f"{group}/rehearsal"))
    # Then those that are not held would succeed, and all of them are as they were.
    assert "2 van 2 zouden lukken" in shown
    assert {held, *others} <= failures.dead()
    # When it is retried without a reason, Then nothing is done.
    assert operator.post(f"{group}/retry").status_code == 422
    assert {held, *others} <= failures.dead()
    # When it is retried, and the form comes twice
    fields = {"form_key": str(uuid4()), "why": "de bank is er weer"}
    page = operator.post(f"{group}/retry", fields)
    again = operator.post(f"{group}/retry", fields)
    assert again.url.path == page.url.path
    # Then the operator follows what becomes of each, and the held one is left where it was.
    assert "Blijven liggen: 1" in words_of(page)
    wait_until(lambda: "2 van 2 klaar" in words_of(operator.get(page.url.path)), "all ran", 20)
    shown = words_of(operator.get(page.url.path))
    assert shown.count("gelukt") == 2
    assert "de bank is er weer" in shown
    assert failures.dead() & {held, *others} == {held}


def test_only_who_may_manage_dead_letters_sees_any_of_it(
    api: Api, failures: Failures, stranger: Visitor, king: Visitor
) -> None:
    letter_id, _ = failures.report()
    paths = ["/operations", BILLING, f"{BILLING}/part", f"{BILLING}/list", path_of(letter_id)]
    paths += [f"{path_of(letter_id)}/correct", f"{path_of(letter_id)}/rehearsal"]
    for path in paths:
        assert king.get(path).status_code == 403, path
        assert "Aanmelden" in stranger.get(path).text or stranger.get(path).status_code == 403
    for act in ("retry", "drop", "care", "correct"):
        assert king.post(f"{path_of(letter_id)}/{act}", why="x").status_code == 403
    assert letter_id in failures.dead()


def test_what_is_not_there_is_a_page_that_says_so(operator: Visitor) -> None:
    for path in ("/operations/payroll", path_of("nobody"), f"{BILLING}/groups/abc"):
        assert operator.get(path).status_code == 404
    assert operator.get(f"{BILLING}/rounds/{uuid4()}").status_code == 404
