"""Staff stop an onboarding, and see what signup did and sent."""

from tests.e2e.stage import Stage
from tests.integration.http.conftest import Api
from tests.visitors import staff_visitor, words_of


def test_the_office_stops_an_onboarding_and_its_story_tells_it(stage: Stage) -> None:
    # Given a customer of the office
    api = Api(stage)
    onboarding_id = api.sign_up("0042")
    api.order_of(onboarding_id)
    office = staff_visitor(stage.settings, stage.addresses["signup"], "office", "0042")
    path = f"/signups/{onboarding_id}/withdraw"
    # When it looks, nothing changes; when it presses the button with a reason, it has stopped.
    assert "Dit kan niet ongedaan worden gemaakt" in words_of(office.get(path))
    answer = office.post(path, reason="Op verzoek van de klant")
    assert "Deze inschrijving is gestopt" in words_of(answer)
    api.waits_for(onboarding_id, "withdrawn")
    # Then the story says who did it, and why; and what was mailed.
    part = words_of(office.get(f"/signups/{onboarding_id}/part"))
    assert "Inschrijving ingetrokken M. Voorbeeld Op verzoek van de klant" in part
    assert "Bevestiging aan de klant" in part


def test_another_offices_customer_is_not_there_to_stop(stage: Stage) -> None:
    onboarding_id = Api(stage).sign_up("0042")
    other = staff_visitor(stage.settings, stage.addresses["signup"], "office", "0099")
    assert other.get(f"/signups/{onboarding_id}/withdraw").status_code == 404
    assert other.post(f"/signups/{onboarding_id}/withdraw").status_code == 404
    assert other.get(f"/signups/{onboarding_id}/part").status_code == 404
