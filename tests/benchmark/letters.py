"""What a mail costs, and an order confirmation with its two mails, in milliseconds of CPU.

    python -m tests.benchmark.letters [--write] [--rounds 5]

The time of the processor, all threads together: what else runs on the machine does not count. All
are measured turn and turn about; the median of a turn, and the least of the rounds. Each
confirmation is of another order, so none is known already; the templates are.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from services.billing.confirmation import document
from services.billing.confirmation.document import Confirmation, render_pdf
from services.billing.confirmation.notices import scan_token
from services.billing.confirmation.scan_code import as_svg
from shared.notifications.messages import Mail
from shared.notifications.senders import Email
from shared.processing.testing import MONDAY
from tests.benchmark.embedded import say
from tests.benchmark.report import machine
from tests.unit.billing.paper import CONFIRMATION, KEY
from tests.unit.billing.test_scan_code import by_segno
from tests.unit.notifications.paper import job, renderer, templates_of
from tests.unit.notifications.test_assembly import SENDER, by_the_library
from tests.unit.notifications.test_every_mail import SECRETS, SENT

RESULTS = Path(__file__).parent / "LETTERS.md"
MADE_BY = "python -m tests.benchmark.letters --write"
MAIL_TARGET_MS, CONFIRMATION_TARGET_MS = 1.5, 9.0
TURN, TURN_OF_CONFIRMATIONS = 30, 20
CONFIRMATION_MAILS = ("order_confirmation", "order_confirmation_copy")

Work = Callable[[], object]


@dataclass(frozen=True)
class Letter:
    """A kind of mail: to fill its template, to pack it, and to pack it with Python's package."""

    fill: Work
    pack: Work
    by_the_library: Work

    @classmethod
    def of(cls, service: str, mail: Mail) -> "Letter":
        """The letter that a service sends."""
        paper, about = renderer(templates_of(service)), job(mail, SECRETS, channel="email")
        made = paper.render(about, MONDAY)
        assert isinstance(made, Email)
        return cls(
            lambda: paper.render(about, MONDAY),
            lambda: made.as_bytes(SENDER, MONDAY),
            lambda: by_the_library(made, SENDER, MONDAY),
        )


class Confirmations:
    """The confirmation of one order after another, each with its two mails."""

    def __init__(self) -> None:
        mails = {mail.kind: mail for mail in SENT["billing"]}
        self._mails = [mails[kind] for kind in CONFIRMATION_MAILS]
        self._paper = renderer(templates_of("billing"))
        self._orders = self._each_another()
        self._code = as_svg(CONFIRMATION.token)
        self._last = Email("a@b.example", "", "", "", "nl", None, (), "k")

    def parts(self) -> Mapping[str, Work]:
        """What is measured, by its name in the table."""
        return {
            "its values, in signs that can be shown": lambda: self._data(next(self._orders)),
            "QR code": lambda: as_svg(next(self._orders).token),
            "the same by segno": lambda: by_segno(next(self._orders).token),
            "values and typst": self._typst,
            "typst, nothing changed": lambda: self._set(CONFIRMATION),
            "the document": lambda: render_pdf(next(self._orders)),
            "**all, with its two mails**": self._all,
            "its second mail's MIME": lambda: self._last.as_bytes(SENDER, MONDAY),
            "the same by Python's package": lambda: by_the_library(self._last, SENDER, MONDAY),
        }

    def _typst(self) -> None:
        self._set(next(self._orders))

    def _set(self, confirmation: Confirmation) -> None:
        data = self._data(confirmation)
        document._compile(data, self._code, pdf_standards=document.STANDARDS)

    def _data(self, confirmation: Confirmation) -> Any:
        return document._in_glyphs(document._data(confirmation))

    def _all(self) -> None:
        order = next(self._orders)
        for mail in self._mails:
            made = self._paper.render(job(mail, attachments=(order,)), MONDAY)
            assert isinstance(made, Email)
            made.as_bytes(SENDER, MONDAY)
            self._last = made

    def _each_another(self) -> Iterator[Confirmation]:
        for number in range(1_000_000):
            reference = f"O-2026-{number:06}"
            yield replace(
                CONFIRMATION,
                order_reference=reference,
                mandate_reference=f"M-2026-{number:06}",
                payer_name=f"Bakkerij De Korenaar {number}",
                customer_number=f"K-{number:06}",
                token=scan_token(reference, KEY),
            )


def cpu_ms(work: Work, times: int) -> float:
    """The median of so many times."""
    taken = []
    for _ in range(times):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return statistics.median(taken) * 1000


def run(rounds: int) -> tuple[dict[str, list[float]], dict[str, float]]:
    """For each kind of mail its three figures, and the figures of a confirmation."""
    letters = {
        mail.kind: Letter.of(service, mail) for service, mails in SENT.items() for mail in mails
    }
    parts = Confirmations().parts()
    mails: dict[str, list[list[float]]] = {kind: [] for kind in letters}
    confirmation: dict[str, list[float]] = {name: [] for name in parts}
    for number in range(1, rounds + 1):
        say(f"round {number} of {rounds}")
        for kind, letter in letters.items():
            works = (letter.fill, letter.pack, letter.by_the_library)
            mails[kind].append([cpu_ms(work, TURN) for work in works])
        for name, work in parts.items():
            confirmation[name].append(cpu_ms(work, TURN_OF_CONFIRMATIONS))
    best = {kind: list(map(min, zip(*turns, strict=True))) for kind, turns in mails.items()}
    return best, {name: min(turns) for name, turns in confirmation.items()}


def as_markdown(
    mails: Mapping[str, list[float]], confirmation: Mapping[str, float], rounds: int
) -> str:
    """The page: each kind of mail, dearest first, and the parts of a confirmation."""
    together = {kind: fill + pack for kind, (fill, pack, _) in mails.items()}
    dearest_first = sorted(mails, key=lambda kind: -together[kind])
    whole = confirmation["**all, with its two mails**"]
    return "\n".join(
        [
            "# Letters",
            "",
            machine(rounds, MADE_BY),
            "",
            "Milliseconds of CPU, all threads together: the median of a turn, the least of the "
            "rounds.",
            "",
            f"A mail may take {MAIL_TARGET_MS} ms: the dearest takes {max(together.values()):.2f}, "
            f"the median {statistics.median(together.values()):.2f}. An order confirmation with "
            f"its two mails may take {CONFIRMATION_TARGET_MS:.0f} ms: it takes {whole:.1f}.",
            "",
            "| mail | template | MIME | together | MIME by Python's package |",
            "|---|---|---|---|---|",
            *(_mail_row(kind, *mails[kind]) for kind in dearest_first),
            "",
            "| of an order confirmation | ms |",
            "|---|---|",
            *(f"| {name} | {found:.2f} |" for name, found in confirmation.items()),
            "",
        ]
    )


def _mail_row(kind: str, fill: float, pack: float, library: float) -> str:
    return f"| `{kind}` | {fill:.2f} | {pack:.2f} | {fill + pack:.2f} | {library:.2f} |"


def main() -> None:
    """Measure and print, and write the page when asked."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark.letters")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    page = as_markdown(*run(arguments.rounds), arguments.rounds)
    print(page)  # noqa: T201 - a script's result.
    if arguments.write:
        RESULTS.write_text(page)


if __name__ == "__main__":
    main()
