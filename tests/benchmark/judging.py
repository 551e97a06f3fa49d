"""What became slower since the release, in words: ratios of one run beside those on record."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

TOLERANCE = 0.15
"""A figure that is worse by no more than this part may be the machine's doing."""


@dataclass(frozen=True)
class Figure:
    """What something took, and what a fixed reference took in the same run, in the same unit.

    The ratio alone can be compared with another run's: machines differ and are shared.
    """

    name: str
    took: float
    reference: str
    reference_took: float
    unit: str
    by_clock: bool = False
    """Whether it is of the clock on the wall, which also tells what others do meanwhile."""

    @property
    def ratio(self) -> float:
        """How many times as long as its reference it took: the less, the better."""
        return self.took / self.reference_took


def judged(figures: Sequence[Figure], *, busy: bool) -> list[Figure]:
    """Those that tell something of the product: on a busy machine not those of the clock."""
    return [figure for figure in figures if not (busy and figure.by_clock)]


def became_slower(figures: Sequence[Figure], recorded: Mapping[str, float]) -> Iterator[str]:
    """A sentence for each figure whose ratio is worse than the recorded one by more than allowed.

    A figure of which nothing is on record is passed over.
    """
    for figure in figures:
        if figure.name not in recorded:
            continue
        before, now = recorded[figure.name], figure.ratio
        worse = now / before - 1
        if worse > TOLERANCE:
            yield (
                f"{figure.name} became {worse:.0%} slower: {now:.2f} × {figure.reference}, "
                f"and {before:.2f} × at the release"
            )
