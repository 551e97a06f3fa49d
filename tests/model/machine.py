"""The state machine: what may happen, one thing after another, in any order."""

from collections.abc import Callable
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.model import truths
from tests.model.broker import FATES, SCRIBE
from tests.model.chain import HEARER, MOODS, SERVICES, TELLER
from tests.model.process import FAULTS, WELL, Fault
from tests.model.world import World

MOST_SUBMITTED = 12

some = st.integers(0, 1_000)
"""Picks one of whatever there is at that moment."""

fates = st.one_of(st.just(["confirmed"]), st.lists(st.sampled_from(FATES), min_size=1, max_size=2))
faults = st.one_of(
    st.just(WELL),
    st.builds(Fault, st.sampled_from(FAULTS), st.integers(1, 3), fates),
)
moods = st.one_of(st.just("well"), st.sampled_from(MOODS))
submissions = st.lists(moods, min_size=1, max_size=4)
bindings = st.sampled_from(((), (HEARER,), (HEARER, SCRIBE), (HEARER, SCRIBE)))
services = st.sampled_from(SERVICES)
PAUSES = (timedelta(seconds=2), timedelta(seconds=40), timedelta(minutes=15), timedelta(hours=7))
CHORES = ("run_due", "sweep", "settle", "clean")


class Model(RuleBasedStateMachine):
    """Everything that may happen to messages between website, broker, services and people."""

    make_world: Callable[[], World]

    def __init__(self) -> None:
        super().__init__()
        self.world = type(self).make_world()

    # The website and the broker.

    @initialize(ends=submissions)
    def the_website_begins(self, ends: list[str]) -> None:
        self.the_website_submits(ends)

    @precondition(lambda self: len(self.world.submitted) < MOST_SUBMITTED)
    @rule(ends=submissions)
    def the_website_submits(self, ends: list[str]) -> None:
        for mood in ends:
            self.world.submit(mood)

    @precondition(lambda self: any(self.world.broker.queues[one] for one in SERVICES))
    @rule(which=some, count=st.integers(1, 6), backwards=st.booleans(), fault=faults)
    def a_batch_is_delivered(self, which: int, count: int, backwards: bool, fault: Fault) -> None:
        able = [one for one in self.world.processes if self.world.broker.queues[one.name]]
        process = able[which % len(able)]
        process.consume(self.world.take(process, count, backwards=backwards), fault)

    @precondition(lambda self: self.world.on_the_wire())
    @rule(which=some, fates=fates, fault=faults)
    def the_broker_answers(self, which: int, fates: list[str], fault: Fault) -> None:
        wire = self.world.on_the_wire()
        process, publication = wire[which % len(wire)]
        process.hear(publication, fates, fault)

    @rule(which=some, redelivered=st.booleans())
    def a_message_comes_once_more(self, which: int, redelivered: bool) -> None:
        self.world.duplicate(which, redelivered=redelivered)

    @rule(unbound=bindings, deleted=st.booleans())
    def bindings_go_and_come(self, unbound: tuple[str, ...], deleted: bool) -> None:
        self.world.broker.unbound = set(unbound)
        if deleted and HEARER in unbound:
            self.world.broker.delete(HEARER)

    # The services.

    @rule(which=some, chore=st.sampled_from(CHORES), fault=faults)
    def a_chore_is_done(self, which: int, chore: str, fault: Fault) -> None:
        process = self.world.process(which)
        if chore == "clean":
            self.world.note_what_may_go(process)
        getattr(process, chore)(fault)

    @rule(which=some)
    def a_process_is_restarted(self, which: int) -> None:
        self.world.process(which).stop()

    @rule(service=services, which=some, mood=moods)
    def a_handler_changes_its_mood(self, service: str, which: int, mood: str) -> None:
        reference = self.world.submitted[which % len(self.world.submitted)]
        self.world.moods[service].by_reference[reference] = mood

    @rule(which=some)
    def the_database_of_the_teller_forgets(self, which: int) -> None:
        self.world.forget(which)

    # Time and people.

    @rule(pause=st.sampled_from(PAUSES))
    def time_goes_by(self, pause: timedelta) -> None:
        self.world.now += pause

    @precondition(lambda self: self.world.letters)
    @rule(which=some, drop=st.sampled_from((False, False, True)))
    def two_people_decide_about_a_dead_letter(self, which: int, drop: bool) -> None:
        letters = self.world.letters
        name, letter_id = letters[which % len(letters)]
        if drop:
            self.world.drop(name, letter_id)
        else:
            self.world.retry(name, letter_id)

    @precondition(lambda self: self.world.seen[TELLER].published)
    @rule()
    def somebody_replays(self) -> None:
        self.world.replay()

    @precondition(lambda self: self.world.seen[TELLER].published)
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
