"""The command line: `stappenplan`. What it can do stands in `program`."""

from infra.signals import end_at_once_on_signals, give_back_ctrl_c


def main() -> None:
    """Run the command line, which SIGTERM and Ctrl-C can end from here on."""
    end_at_once_on_signals()  # Before anything is loaded: see there.
    from infra.cli.program import run_program

    give_back_ctrl_c()
    run_program()
