"""The gallery, served to the browser: it needs no Stappenplan."""

import threading
from collections.abc import Iterator

import pytest
import uvicorn

from tests.browser.gallery.app import gallery
from tests.servers.premises import LOOPBACK, free_ports, wait_until


@pytest.fixture(scope="package")
def rooms() -> Iterator[str]:
    """The address of the gallery."""
    (port,) = free_ports(1)
    address = f"http://{LOOPBACK}:{port}"
    config = uvicorn.Config(gallery(address), host=LOOPBACK, port=port, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, "the gallery is open")
    yield address
    server.should_exit = True
    thread.join()


@pytest.fixture
def origin(rooms: str) -> str:
    return rooms
