"""Who takes part, and how each is started."""

import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "build" / "peers" / "bin" / "python"
"""The peers' own environment: `make bench` makes it."""


@dataclass(frozen=True)
class Contender:
    """One way to do the work. `concurrencies` are tried; the best takes part in the rounds.

    `fills_itself` is for those whose messages have a format of their own.
    """

    name: str
    module: str
    messages: int
    concurrencies: tuple[int, ...] = (1,)
    fills_itself: bool = False
    peer: bool = True

    def command(self, *words: str) -> list[str]:
        """How its process is started."""
        if not self.module:
            return [str(Path(sys.executable).with_name("stappenplan")), "run", "registration"]
        python = str(PEERS) if self.peer else sys.executable
        return [python, "-m", f"tests.benchmark.contenders.{self.module}", *words]

    def environment(self, concurrency: int) -> dict[str, str]:
        """What it is told beside the addresses."""
        return {"BENCH_CONCURRENCY": str(concurrency), "PYTHONPATH": str(ROOT)}


STAPPENPLAN = Contender("Stappenplan", "", 20_000, peer=False)
BY_HAND = Contender("by hand, in batches", "by_hand", 20_000, (100, 200, 400), peer=False)
CONTENDERS = (
    STAPPENPLAN,
    BY_HAND,
    Contender("FastStream", "faststream_app", 4_000, (4, 8, 32)),
    Contender("Celery", "celery_app", 4_000, (2, 4, 8), fills_itself=True),
    Contender("Dramatiq", "dramatiq_app", 4_000, (8, 16, 24), fills_itself=True),
)
