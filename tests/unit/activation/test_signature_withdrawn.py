"""BEVESTIGEN on the checklist when a recorded signature was a clerk's slip."""

from itertools import permutations

import pytest

from shared.events import OrderSignatureWithdrawn
from shared.events.event import Event
from tests.unit.activation.harness import ORDER, SIGNED, WAY, ActivationHarness

RECORDED = SIGNED.model_copy(update={"revision": 1})
SLIP = OrderSignatureWithdrawn(order_reference=ORDER, reason="verkeerde order", revision=2)
CORRECTED = SIGNED.model_copy(update={"revision": 3})


@pytest.mark.parametrize("heard", list(permutations([RECORDED, SLIP])))
def test_a_signature_that_was_taken_back_is_waited_for_again(heard: tuple[Event, ...]) -> None:
    # Given a customer whose signature was recorded and taken back, heard in any order,
    service = ActivationHarness(*WAY[:-2], *heard)
    # Then the payer must sign, and the office can read that a signature was undone.
    assert service.status("BEVESTIGEN") == "current"
    assert service.blockers() == ["signature_missing"]
    assert "ongedaan" in service.checklist().blockers[0].text


@pytest.mark.parametrize("heard", list(permutations([RECORDED, SLIP, CORRECTED])))
def test_the_signature_of_the_highest_revision_holds(heard: tuple[Event, ...]) -> None:
    service = ActivationHarness(*WAY[:-2], *heard)
    assert service.status("BEVESTIGEN") == "done"


def test_a_signature_of_an_earlier_version_bears_no_revision_and_gives_way() -> None:
    # Given a signature that an earlier version told, without a revision, and a later slip,
    service = ActivationHarness(*WAY[:-2], SLIP, SIGNED)
    # Then the slip holds.
    assert service.status("BEVESTIGEN") == "current"
