"""The main calls over HTTP, beside bare FastAPI routes that do the same work by hand.

    python -m tests.benchmark.http_calls [--rounds 3] [--write]

All run on the same PostgreSQL server, turn and turn about; the client keeps its connections.
What is to be relied upon are the ratios of one run.
"""

import argparse
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.benchmark.embedded import say, servers
from tests.benchmark.http_client import Pace, measure
from tests.benchmark.http_sides import LISTED, REQUESTS, SLOW_REQUESTS, Side, bare, stappenplan
from tests.benchmark.report import machine

RESULTS = Path(__file__).parent / "HTTP.md"
OURS, APART, BARE = "Stappenplan", "Stappenplan, mails apart", "bare FastAPI"
CONNECTIONS = (1, 16, 200)


def run(sides: Mapping[str, Side], rounds: int) -> dict[tuple[str, int, str], list[Pace]]:
    """Measure each call at each number of connections, turn and turn about."""
    paces: dict[tuple[str, int, str], list[Pace]] = {}
    for number in range(1, rounds + 1):
        say(f"round {number} of {rounds}")
        for connections in CONNECTIONS:
            for name, side in sides.items():
                for call, made in side.calls().items():
                    if connections <= made.most_connections:
                        pace = measure(side.port, made.requests, connections, made.status)
                        paces.setdefault((call, connections, name), []).append(pace)
                side.rest()
    return paces


def as_markdown(paces: Mapping[tuple[str, int, str], Sequence[Pace]], rounds: int) -> str:
    """The page: medians of the rounds, and the ratio of answers a second."""
    lines = [
        "# Over HTTP",
        "",
        machine(rounds, "python -m tests.benchmark.http_calls --write"),
        "",
        f"{REQUESTS} requests a turn over kept connections, {SLOW_REQUESTS} of lists, log-ins and "
        f"sign-ups; the list is of {LISTED:,} customers, a page of a hundred. Beside them FastAPI "
        "routes as a competent user would write them by hand: they verify the same token, "
        "validate and answer the same fields, read the same columns, insert the same rows (those "
        "of the checklist, too) in plain SQL, and compare the same hash. They do less in this: no "
        "rules of the trade, no repeat made harmless, nothing published or mailed, no link "
        "signed, no wrong password counted, and the steps are read as written, not derived.",
        "",
        "Upon each sign-up two mails are made and sent, by a thread of the very process that "
        "answers, or, where the mails are apart, by another process (`--only deliver`).",
        "",
        "| call | connections | who | answers/s | p50 | p95 | of bare |",
        "|---|---|---|---|---|---|---|",
    ]
    order = {name: place for place, name in enumerate((OURS, APART, BARE))}
    calls = list(dict.fromkeys(call for call, _, _ in paces))
    for key in sorted(paces, key=lambda key: (calls.index(key[0]), key[1], order[key[2]])):
        call, connections, name = key
        pace = _median(paces[key])
        ratio = pace.per_second / _median(paces[call, connections, BARE]).per_second
        cells = [call, str(connections), name, *_cells(pace), f"{ratio:.2f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _median(paces: Sequence[Pace]) -> Pace:
    return Pace(
        statistics.median(pace.per_second for pace in paces),
        statistics.median(pace.p50 for pace in paces),
        statistics.median(pace.p95 for pace in paces),
    )


def _cells(pace: Pace) -> list[str]:
    return [f"{pace.per_second:,.0f}", f"{pace.p50:.1f} ms", f"{pace.p95:.1f} ms"]


def main() -> None:
    """Measure and print, and write the page when asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings, others = stack.enter_context(servers()), stack.enter_context(servers())
        sides = {
            OURS: stack.enter_context(stappenplan(settings, folder / "ours", apart=False)),
            APART: stack.enter_context(stappenplan(others, folder / "apart", apart=True)),
            BARE: stack.enter_context(bare(settings["DATABASE_URL"], folder / "bare")),
        }
        page = as_markdown(run(sides, arguments.rounds), arguments.rounds)
    print(page)  # noqa: T201 - a script's result.
    if arguments.write:
        RESULTS.write_text(page)


if __name__ == "__main__":
    main()
