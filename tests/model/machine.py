"""The state machine: what may happen, one thing after another, in any order."""

from collections.abc import Callable
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.settings import Settings
from tests.model import truths
from tests.model.broker import FATES, SCRIBE
from tests.model.chain import HEARER, MOODS, SERVICES, TELLER
from tests.model.process import FAULTS, WELL, Fault
from tests.model.world import World

MOST_SUBMITTED = 12

some = st.integers(0, 1_000)
"""Picks one of whatever there is at that moment."""

fates = st.lists(st.sampled_from(FATES), min_size=1, max_size=2)
faults = st.one_of(
    st.just(WELL),
    st.builds(Fault, st.sampled_from(FAULTS), st.integers(1, 3), fates),
)
moods = st.one_of(st.just("well"), st.sampled_from(MOODS))
queues = st.lists(st.sampled_from((TELLER, HEARER, SCRIBE)[1:]), unique=True)
services = st.sampled_from(SERVICES)
PAUSES = (timedelta(seconds=2), timedelta(seconds=40), timedelta(minutes=15), timedelta(hours=7))


class Model(RuleBasedStateMachine):
    """Everything that may happen to messages between website, broker, services and people."""

    make_settings: Callable[[], Settings]

    def __init__(self) -> None:
        super().__init__()
        self.world = World(type(self).make_settings())

    # The website and the broker.

    @precondition(lambda self: len(self.world.submitted) < MOST_SUBMITTED)
    @rule(ends=st.lists(moods, min_size=1, max_size=3))
    def the_website_submits(self, ends: list[str]) -> None:
        for mood in ends:
            self.world.submit(mood)

    @rule(service=services, which=some, redelivered=st.booleans())
    def a_message_comes_once_more(self, service: str, which: int, redelivered: bool) -> None:
        self.world.duplicate(service, which, redelivered=redelivered)

    @rule(unbound=queues)
    def bindings_go_and_come(self, unbound: list[str]) -> None:
        self.world.broker.unbound = set(unbound)

    @rule()
    def the_queue_of_the_hearer_is_deleted(self) -> None:
        self.world.broker.delete(HEARER)

    @precondition(lambda self: self.world.on_the_wire())
    @rule(which=some, fates=fates, fault=faults)
    def the_broker_answers(self, which: int, fates: list[str], fault: Fault) -> None:
        wire = self.world.on_the_wire()
        process, publication = wire[which % len(wire)]
        process.hear(publication, fates, fault)

    # The services.

    @precondition(lambda self: any(self.world.broker.queues[one] for one in SERVICES))
    @rule(which=some, count=st.integers(1, 6), backwards=st.booleans(), fault=faults)
    def a_batch_is_delivered(self, which: int, count: int, backwards: bool, fault: Fault) -> None:
        able = [one for one in self.world.processes if self.world.broker.queues[one.name]]
        process = able[which % len(able)]
        process.consume(self.world.take(process, count, backwards=backwards), fault)

    @rule(which=some, fault=faults)
    def what_is_due_runs(self, which: int, fault: Fault) -> None:
        self.world.process(which).run_due(fault)

    @rule(which=some, fault=faults)
    def the_sweeper_looks(self, which: int, fault: Fault) -> None:
        self.world.process(which).sweep(fault)

    @rule(which=some, fault=faults)
    def answers_are_marked(self, which: int, fault: Fault) -> None:
        self.world.process(which).settle(fault)

    @rule(which=some, fault=faults)
    def the_cleaner_comes_by(self, which: int, fault: Fault) -> None:
        self.world.clean(self.world.process(which), fault)

    @rule(which=some)
    def a_process_is_restarted(self, which: int) -> None:
        self.world.process(which).stop()

    @rule(service=services, which=some, mood=moods)
    def a_handler_changes_its_mood(self, service: str, which: int, mood: str) -> None:
        submitted = self.world.submitted
        if submitted:
            reference = submitted[which % len(submitted)]
            self.world.moods[service].by_reference[reference] = mood

    @rule(which=some)
    def the_database_of_the_teller_forgets(self, which: int) -> None:
        self.world.forget(which)

    # Time and people.

    @rule(pause=st.sampled_from(PAUSES))
    def time_goes_by(self, pause: timedelta) -> None:
        self.world.now += pause

    @precondition(lambda self: self.world.all_letters())
    @rule(which=some)
    def two_people_retry_a_dead_letter(self, which: int) -> None:
        letters = self.world.all_letters()
        self.world.retry(*letters[which % len(letters)])

    @precondition(lambda self: self.world.all_letters())
    @rule(which=some)
    def somebody_drops_a_dead_letter(self, which: int) -> None:
        letters = self.world.all_letters()
        self.world.drop(*letters[which % len(letters)])

    @rule()
    def somebody_replays(self) -> None:
        self.world.replay()

    @rule(days=st.sampled_from((8, 31)))
    def all_is_mended_and_days_go_by(self, days: int) -> None:
        self.world.heal()
        self.world.now += timedelta(days=days)

    # What must be true.

    @invariant()
    def no_ghost_no_loss_no_double(self) -> None:
        truths.hold_now(self.world)

    def teardown(self) -> None:
        try:
            self.world.heal()
            truths.came_true(self.world)
        finally:
            self.world.close()
