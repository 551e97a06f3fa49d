"""A process for a command, split off from one that has everything loaded.

To load the product takes a process a second or two, and the tests start hundreds. Each of these is
a process all the same, with its own environment, streams and exit code. That the program itself
starts, and how little it loads, has tests of its own.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path
from subprocess import TimeoutExpired

STREAMS = {"stdin": "r", "stdout": "w", "stderr": "w"}
"""Files in the process's folder, in the order of their numbers."""

SPLITTING = get_context("forkserver")
SPLITTING.set_forkserver_preload(["tests.integration.command_line.product_loaded"])


def run(words: Sequence[str], environment: Mapping[str, str], folder: Path, seconds: int) -> int:
    """Run `stappenplan` with its streams in `folder`; returns its exit code.

    Raises:
        TimeoutExpired: it took longer, and was ended.
    """
    process = SPLITTING.Process(target=_become, args=(words, dict(environment), folder))
    process.start()
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise TimeoutExpired(list(words), seconds)
    return process.exitcode


def _become(words: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
    from infra.cli import main

    os.environ.clear()
    os.environ.update(environment)
    for number, (name, mode) in enumerate(STREAMS.items()):
        with (folder / name).open(mode) as file:
            os.dup2(file.fileno(), number)
        setattr(sys, name, os.fdopen(number, mode, closefd=False))
    sys.argv = ["stappenplan", *words]
    main()
