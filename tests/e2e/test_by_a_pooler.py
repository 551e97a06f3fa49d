"""From sign-up to log-in by PgBouncer in transaction mode, schema and all: nothing shows of it."""

import pytest
from sqlalchemy import text

from infra.demo.demonstration import Demonstration
from infra.demo.simulators import website
from tests.e2e.conftest import BY_A_POOLER
from tests.e2e.stage import Stage


@pytest.mark.slow
@pytest.mark.parametrize("stage", [BY_A_POOLER], indirect=True, scope="module")
def test_every_valid_signup_reaches_the_login_by_a_pooler(stage: Stage) -> None:
    # Given services that know their databases by a pooler alone, which made their tables too,
    shown = Demonstration(stage.addresses, stage.key, stage.settings.data_dir, stage.king)
    # When the twelve examples sign up, and everyone does what is his turn,
    shown.emit(stage.line, [*website.examples(), *website.examples(valid=False)])
    shown.play(lambda *_: None, patience=20)
    # Then all who can have the seven steps behind them, the others were told why not,
    journeys = list(shown.journeys.values())
    complete, rejected = website.examples(), website.examples(valid=False)
    assert len([one for one in journeys if one.complete]) == len(complete) >= 12
    assert len([one for one in journeys if one.rejected]) == len(rejected)
    assert shown.underway == []
    # and no message was tried twice for what a session did not know.
    for database in stage.databases().values():
        with database.read() as session:
            tried = session.execute(text("SELECT id, error FROM inbox WHERE error IS NOT NULL"))
            assert list(tried) == []
        database.close()
