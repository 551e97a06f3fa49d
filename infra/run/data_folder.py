"""The data folder of the embedded default, which one process at a time may use."""

import fcntl
from pathlib import Path
from typing import TextIO

from infra.run.sockets import CannotRun
from shared.base.errors import WrongSettings


def hold_folder(data_dir: Path) -> TextIO:
    """Hold the data folder: two embedded processes would publish each other's events.

    Raises:
        CannotRun: another process holds it.
        WrongSettings: this user cannot write there.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        hold = (data_dir / "embedded.lock").open("w")
    except OSError as error:
        raise WrongSettings(
            f"the data folder {data_dir} cannot be used ({error.strerror}); set "
            "STAPPENPLAN_DATA_DIR to one in which this user may write"
        ) from None
    try:
        fcntl.flock(hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        hold.close()
        raise CannotRun(
            f"another process runs on the data folder {data_dir}; stop it, or set "
            "STAPPENPLAN_DATA_DIR to another folder"
        ) from None
    return hold
