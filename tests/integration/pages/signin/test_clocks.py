"""Links and passes on a machine whose clock is wrong: they go by the time of the database."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from infra.composition import publisher_rules
from services.activation.service import build
from shared.host.runtime import Runtime
from shared.host.settings import Settings
from shared.links import Expired
from shared.notifications.senders.protocol import Senders
from shared.persistence.clock import Machine, database_now, utc_now
from shared.persistence.schema import upgrade
from shared.processing.testing import RecordingBus
from shared.web.passes import Staff, issue_pass, read_pass
from tests.integration.activation.conftest import Post, Practice
from tests.integration.pages.signin.conftest import ANNA, House
from tests.servers.postgres import MakeDatabase

HOUR = timedelta(hours=1)


class Replica(Practice):
    """One process of activation that goes by its database, on a machine that is so much ahead."""

    def __init__(self, settings: Settings, ahead: timedelta) -> None:
        post, machine = Post(), Machine(now=lambda: utc_now() + ahead)
        self.runtime = Runtime(
            build(settings),
            settings,
            RecordingBus(),
            Senders(post, post),
            publisher_rules(settings),
            machine=machine,
        )

    def clock(self) -> datetime:
        return self.runtime.clock()


@pytest.fixture
def houses(make_database: MakeDatabase, tmp_path: Path) -> Iterator[tuple[House, House, House]]:
    """Replicas on one PostgreSQL, one that is right, one that is ahead, one that is behind."""
    settings = Settings(database_url=make_database("activation"), data_dir=tmp_path)
    replicas = [Replica(settings, ahead) for ahead in (timedelta(), HOUR, -HOUR)]
    upgrade(replicas[0].runtime.database, replicas[0].runtime.service.migrations)
    for replica in replicas:
        replica.runtime.tasks.keep_time()
        # What makes a link in these tests is the command line, which asks the database.
        replica.now = database_now(replica.runtime.database)
    made = [House(replica) for replica in replicas]
    yield made[0], made[1], made[2]
    for house in made:
        house.close()


def test_wherever_somebody_signs_in_every_replica_takes_their_link_and_their_pass(
    houses: tuple[House, House, House],
) -> None:
    for door in houses:
        # Given a link of now, and somebody who signs in with it at one of the replicas,
        browser = door.browser()
        door.sign_in(browser)
        # When they come to each of the others with their pass alone, Then they are in there too.
        for house in houses:
            other = house.browser()
            other.keep("pass", browser.cookie("pass") or "")
            assert other.is_in()


def test_no_replica_takes_what_is_over(houses: tuple[House, House, House]) -> None:
    for house in houses:
        # Given a link and a pass that ended some minutes ago, by the time of the database,
        house.pass_time(minutes=-20)
        link, signer = house.link(), house.site.links.signer
        staff = Staff("nobody's", ANNA.name, ANNA.role, ANNA.office)
        over = issue_pass(signer, staff, house.practice.now)
        # When somebody comes with them, Then neither lets them in.
        browser = house.browser()
        assert browser.post(link).status_code == 410
        browser.keep("pass", over)
        assert not browser.is_in()
        with pytest.raises(Expired):
            read_pass(signer, over, house.site.clock())
