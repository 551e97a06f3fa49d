"""The Docker engine, if one answers at once."""

import os
from functools import cache
from pathlib import Path

LOCAL_SOCKET = Path("/var/run/docker.sock")


@cache
def engine_answers() -> bool:
    """Whether containers can be started here; asked once, and without waiting long.

    STAPPENPLAN_TEST_SERVERS=packages leaves Docker alone even where it answers.
    """
    if os.environ.get("STAPPENPLAN_TEST_SERVERS") == "packages":
        return False
    if not (os.environ.get("DOCKER_HOST") or LOCAL_SOCKET.exists()):
        return False
    import docker
    from docker.errors import DockerException

    # The guardian removes the containers of a killed run, so that the clean-up container, one more
    # image to fetch, is not needed. Whoever wants it sets this to false.
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    try:
        engine = docker.from_env(timeout=2)
        engine.ping()
    except DockerException:
        return False
    engine.close()
    return True
