"""A message that kills its consumer takes none of its neighbours with it."""

import sys

import pytest

from infra.simulators.website import signups
from shared.settings import Settings
from tests.faults.conftest import Note
from tests.faults.stage import on_stage, outgoing, within
from tests.servers.rabbitmq import RabbitMQ

GOOD = 50
THREE_DEATHS = 400.0
"""Seconds: after each death the message is left alone for a minute."""


@pytest.mark.faults
def test_fifty_good_messages_beside_one_that_kills(
    rabbitmq: RabbitMQ, ground: Settings, note: Note
) -> None:
    # Given a registration that dies of one message, and an orchestrator that restarts it
    documents = list(signups(400, seed=5))[-GOOD - 1 :]
    deadly = documents[GOOD // 2]
    reached_by = {"TESTS_DEADLY": deadly["subject"]}
    crew = [["registration"], ["signup", "billing", "activation"]]
    program = [sys.executable, "-m", "tests.faults.deadly"]
    with on_stage(ground, reached_by=reached_by, crew=crew, program=program) as stage:
        # When it is prefetched among fifty good ones
        stage.load.stop()
        stage.line.publish([outgoing(one) for one in documents]).result(60)
        good = [one["subject"] for one in documents if one is not deadly]
        deaths = 0

        def all_good_are_through() -> bool:
            nonlocal deaths
            deaths += stage.restart_the_dead()
            return all(stage.books.has_arrived(one) for one in good)

        # Then all the good ones get through, long before it is given up
        seconds = within(120, all_good_are_through, "the good ones are through")
        assert deaths >= 1

        # And the bad one is dead in the end, with its reason
        query = "SELECT error FROM inbox WHERE status = 'dead' AND subject = :id"

        def buried() -> bool:
            stage.restart_the_dead()
            return bool(stage.books.rows("registration", query, id=deadly["subject"]))

        within(THREE_DEATHS, buried, "the bad one is dead")
        ((error,),) = stage.books.rows("registration", query, id=deadly["subject"])
        assert "the process died" in error

        stage.load.submitted |= {one["id"]: one["subject"] for one in documents}
        note("a message that kills, beside fifty good ones", stage.ledger(), seconds, dead=1)
