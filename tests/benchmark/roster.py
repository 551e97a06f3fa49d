"""Who takes part, and how each is started."""

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.events import SignupAccepted

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "build" / "peers" / "bin" / "python"
"""The peers' own environment: `make bench` makes it."""
NODE_MODULES = ROOT / "build" / "peers-node" / "node_modules"
"""The packages of Node's peers: `make bench` installs them where there is Node."""


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


@dataclass(frozen=True)
class NodeContender(Contender):
    """One that is written for Node, which reads and says the product's own messages."""

    def command(self, *words: str) -> list[str]:
        """How its process is started."""
        return ["node", str(ROOT / "tests/benchmark/contenders/node" / self.module), *words]

    def environment(self, concurrency: int) -> dict[str, str]:
        """What it is told beside the addresses: the event's schema, as the others have it."""
        schema = json.dumps(SignupAccepted.model_json_schema())
        return super().environment(concurrency) | {
            "BENCH_SCHEMA": schema,
            "NODE_PATH": str(NODE_MODULES),
        }


STAPPENPLAN = Contender("Stappenplan", "", 20_000, peer=False)
BY_HAND = Contender("by hand, in batches", "by_hand", 20_000, (100, 200, 400), peer=False)
CONTENDERS = (
    STAPPENPLAN,
    BY_HAND,
    Contender("FastStream", "faststream_app", 4_000, (4, 8, 32)),
    Contender("Celery", "celery_app", 4_000, (2, 4, 8), fills_itself=True),
    Contender("Dramatiq", "dramatiq_app", 4_000, (8, 16, 24), fills_itself=True),
    NodeContender("Node (amqplib + pg)", "singly.js", 4_000, (8, 16, 32)),
    NodeContender("Node, in batches", "in_batches.js", 20_000, (100, 200, 400)),
)


def present() -> Sequence[Contender]:
    """Those that this machine can run: not every machine has Node."""
    if shutil.which("node") and NODE_MODULES.exists():
        return CONTENDERS
    return [entrant for entrant in CONTENDERS if not isinstance(entrant, NodeContender)]
