"""The state machine: what may happen, one thing after another, in any order."""

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.model import truths
from tests.model.broker import FATES, SCRIBE
from tests.model.chain import HEARER, MOODS, SERVICES, TELLER
from tests.model.ground import Ground
from tests.model.process import FAULTS, WELL, Fault
from tests.model.rest import heal
from tests.model.world import World

MOST_SUBMITTED = 12

some = st.integers(0, 1_000)
"""Picks one of whatever there is at that moment."""

fates = st.one_of(st.just(["confirmed"]), st.lists(st.sampled_from(FATES), min_size=1, max_size=2))
faults = st.one_of(
    st.just(WELL),
    st.builds(Fault, st.sampled_from(FAULTS), st.sampled_from((1, 1, 1, 2, 3)), fates),
)
moods = st.one_of(st.just("well"), st.sampled_from(MOODS))
submissions = st.lists(moods, min_size=1, max_size=4)
bindings = st.sampled_from(((), (HEARER,), (HEARER, SCRIBE), (HEARER, SCRIBE)))
"""Who is not bound; an event with neither is unroutable."""
services = st.sampled_from(SERVICES)
PAUSES = (timedelta(seconds=2), timedelta(seconds=40), timedelta(minutes=15), timedelta(hours=7))
JUMPS = (timedelta(seconds=400), timedelta(days=31), -timedelta(hours=1), -timedelta(days=1))
"""How far a clock is ahead of the time, all at once: what it was told, or has forgotten."""
CHORES = ("recall", "run_due", "sweep", "flush_confirms", "clean", "stop")


after_work = precondition(lambda self: self.worked)
"""Troubles and pauses come one at a time, with some work in between: else few would meet any."""


class Model(RuleBasedStateMachine):
    """Everything that may happen to messages between website, broker, services and people."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.worked = True

    # The website and the broker.

    @initialize(ends=submissions, unbound=st.one_of(st.just(()), bindings))
    def the_website_begins(self, ends: list[str], unbound: tuple[str, ...]) -> None:
        self.the_website_submits(ends)
        self.bindings_go_and_come(unbound, deleted=False)

    @precondition(lambda self: len(self.world.submitted) < MOST_SUBMITTED)
    @rule(ends=submissions)
    def the_website_submits(self, ends: list[str]) -> None:
        self.worked = True
        for mood in ends:
            self.world.submit(mood)

    @precondition(lambda self: self.world.delivering)
    @rule(which=some, count=st.integers(1, 6), backwards=st.booleans(), fault=faults)
    def a_batch_is_delivered(self, which: int, count: int, backwards: bool, fault: Fault) -> None:
        self.worked = True
        process = self.world.delivering[which % len(self.world.delivering)]
        process.consume(self.world.take(process, count, backwards=backwards), fault)

    @precondition(lambda self: self.world.delivering)
    @rule(which=some, fates=fates, fault=faults)
    def a_batch_is_delivered_and_its_words_answered(
        self, which: int, fates: list[str], fault: Fault
    ) -> None:
        self.worked = True
        process = self.world.delivering[which % len(self.world.delivering)]
        process.consume(self.world.take(process, 6))
        for publication in list(process.line.on_the_wire):
            if publication in process.line.on_the_wire:  # It may have died over the last one.
                process.hear(publication, fates, fault)

    @precondition(lambda self: self.world.on_the_wire())
    @rule(which=some, fates=fates, fault=faults)
    def the_broker_answers(self, which: int, fates: list[str], fault: Fault) -> None:
        self.worked = True
        wire = self.world.on_the_wire()
        process, publication = wire[which % len(wire)]
        process.hear(publication, fates, fault)

    @after_work
    @rule(which=some, how=st.sampled_from(("anew", "redelivered", "given up")))
    def a_message_comes_once_more(self, which: int, how: str) -> None:
        self.worked = False
        self.world.duplicate(which, redelivered=how == "redelivered")
        if how == "given up":
            self.world.give_up(which)

    @after_work
    @rule(unbound=bindings, deleted=st.booleans())
    def bindings_go_and_come(self, unbound: tuple[str, ...], deleted: bool) -> None:
        self.worked = False
        self.world.broker.unbound = set(unbound)
        if deleted and HEARER in unbound:
            self.world.broker.delete(HEARER)

    # The services.

    @rule(which=some, chore=st.sampled_from(CHORES), fault=faults)
    def a_chore_is_done(self, which: int, chore: str, fault: Fault) -> None:
        self.worked = True
        process = self.world.process(which)
        if chore == "clean":
            self.world.note_what_may_go(process)
        getattr(process, chore)(fault)

    @after_work
    @rule(service=services, which=some, mood=moods)
    def a_handler_changes_its_mood(self, service: str, which: int, mood: str) -> None:
        self.worked = False
        reference = self.world.submitted[which % len(self.world.submitted)]
        self.world.moods[service].by_reference[reference] = mood

    @after_work
    @rule(which=some)
    def the_database_of_the_teller_forgets(self, which: int) -> None:
        self.worked = False
        self.world.forget(which)

    # Time and people.

    @after_work
    @rule(pause=st.sampled_from(PAUSES))
    def time_goes_by(self, pause: timedelta) -> None:
        self.worked = False
        self.world.pass_time(pause)

    @after_work
    @rule(ahead=st.sampled_from(JUMPS))
    def a_clock_jumps(self, ahead: timedelta) -> None:
        self.worked = False
        self.world.wrong = ahead

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
    @after_work
    @rule()
    def somebody_replays(self) -> None:
        self.worked = False
        self.world.replay()

    @precondition(lambda self: self.world.seen[TELLER].published)
    @after_work
    @rule(days=st.sampled_from((8, 31)))
    def all_is_mended_and_days_go_by(self, days: int) -> None:
        self.worked = False
        heal(self.world)
        self.world.now += timedelta(days=days)

    # What must be true.

    @invariant()
    def no_ghost_no_loss_no_double(self) -> None:
        truths.hold_now(self.world)

    def teardown(self) -> None:
        heal(self.world)
        truths.came_true(self.world)


def explore(ground: Ground, examples: int, steps: int, *phases: Phase) -> None:
    """Run the model on databases of its own: always the same examples, for the same code.

    Raises:
        AssertionError: something was lost or doubled, or is a ghost; or nothing comes to rest.
    """
    profile = settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=phases or (Phase.generate,),
        derandomize=True,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        # One example is a few hundred transactions: slow, for hypothesis, and meant to be so.
        suppress_health_check=list(HealthCheck),
    )
    make: Any = lambda: Model(World(ground))  # noqa: E731 - hypothesis takes it for a class.
    run_state_machine_as_test(make, settings=profile)
