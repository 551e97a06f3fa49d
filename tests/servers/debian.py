"""Debian's packages of the servers and the browser: found, or installed where that is allowed.

Installing must leave no server running that the machine's owner did not ask for.
"""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.premises import ServerError

INSTALL_LOCK = Path("/run/lock/stappenplan-tests-install")
SYSTEMD = Path("/run/systemd/system")
UNITS = {
    "rabbitmq-server": ["rabbitmq-server.service", "epmd.service", "epmd.socket"],
    "postgresql": ["postgresql.service"],
    "pgbouncer": ["pgbouncer.service"],
}
OTHERWISE = {
    "rabbitmq-server": ", start Docker, or name a running server in STAPPENPLAN_TEST_BROKER_URL",
    "postgresql": ", start Docker, or name a running server in STAPPENPLAN_TEST_DATABASE_URL",
    "chromium": ", or name another in STAPPENPLAN_TEST_CHROMIUM",
}
"""What else helps whoever may not install it."""
CREATE_CLUSTER = Path("/etc/postgresql-common/createcluster.conf")


def ensure(package: str, find: Callable[[], Path | None]) -> Path:
    """Find what the package brings, installing the package if need be; raise ServerError else."""
    found = find()
    if found:
        return found
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise ServerError(
            f"These tests need {package}: install it (Debian: sudo apt-get install {package})"
            f"{OTHERWISE.get(package, '')}."
        )
    with INSTALL_LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Another worker of the same run may be installing it.
        if not find():
            install(package)
    found = find()
    if not found:
        raise ServerError(f"apt-get installed {package}, yet its programs are not where expected")
    return found


def install(package: str) -> None:
    """Install one package without letting it start a server of its own."""
    if package == "postgresql":
        apt_get("postgresql-common")  # It alone makes no cluster, and brings the setting below.
        with no_cluster():
            apt_get(package)
        return
    with units_masked(UNITS.get(package, [])):
        apt_get(package)


def apt_get(package: str) -> None:
    """Run apt-get install, with fresh package lists when the present ones do not do."""
    # RUNLEVEL=1 keeps System V scripts from starting anything where there is no systemd.
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
    for refresh in (False, True):
        if refresh:
            subprocess.run(["apt-get", "update", "-qq"], env=env, check=False, capture_output=True)
        done = subprocess.run(
            command, env=env, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        if done.returncode == 0:
            return
    raise ServerError(f"apt-get could not install {package}: {done.stderr.strip()[-500:]}")


@contextmanager
def no_cluster() -> Iterator[None]:
    """Keep PostgreSQL's package from making, and so from starting, a cluster of its own."""
    before = CREATE_CLUSTER.read_text()
    CREATE_CLUSTER.write_text(before + "\ncreate_main_cluster = false\n")
    try:
        with units_masked(UNITS["postgresql"]):
            yield
    finally:
        CREATE_CLUSTER.write_text(before)


@contextmanager
def units_masked(units: list[str]) -> Iterator[None]:
    """Keep systemd from starting new units, now and at the next boot; leave older ones alone."""
    new = [unit for unit in units if SYSTEMD.exists() and not known_to_systemd(unit)]
    if not new:
        yield
        return
    subprocess.run(["systemctl", "mask", "--runtime", *new], check=True, capture_output=True)
    try:
        yield
    finally:
        unmask = ["systemctl", "unmask", "--runtime", *new]
        subprocess.run(unmask, check=True, capture_output=True)
        subprocess.run(["systemctl", "disable", *new], check=False, capture_output=True)


def known_to_systemd(unit: str) -> bool:
    """Whether the unit was there before us."""
    done = subprocess.run(["systemctl", "cat", unit], check=False, capture_output=True)
    return done.returncode == 0
