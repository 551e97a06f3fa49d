"""The model is no ornament: with a bug in the code it turns red, and says what went wrong."""

import pytest

from tests.model.bugs import BUGS, Bug
from tests.model.ground import Ground
from tests.model.machine import explore

pytestmark = pytest.mark.faults

ENOUGH = 400
"""Histories at most: it ends with the first that shows the bug. Which ones hypothesis makes depends
on what else is loaded, and the rarest bug has hidden from a hundred of them."""


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_the_model_finds(bug: Bug, on_sqlite: Ground) -> None:
    # Given a bug in the code, When the model runs, Then it says that something went wrong.
    with bug(), pytest.raises(AssertionError, match=BUGS[bug]):
        explore(on_sqlite, ENOUGH, 35)
