"""Every route of the product can be built, though a start builds none that nobody asks for."""

from pathlib import Path

from infra.demo.playground.first_run import FirstRun
from infra.run.supervisor import Supervisor
from shared.host.settings import Settings
from shared.web.pages.color import color_routes
from shared.web.pages.static_route import static_routes
from shared.web.routers import Route

FEWEST = 150
"""There were 163 when this was written: many fewer would mean that it does not see them all."""


def test_every_route_can_be_built(tmp_path: Path) -> None:
    # Given all that a process answers over HTTP, the pages of the first run among it,
    supervisor = Supervisor(Settings(data_dir=tmp_path, http_port=0, log_level="error"))
    supervisor.extend(FirstRun(supervisor, None))
    with supervisor:
        routers = [*supervisor._routers(), static_routes(), color_routes()]
    routes = [route for router in routers for route in router.routes]
    # When each is built,
    for route in routes:
        assert isinstance(route, Route)
        # Then FastAPI has understood it: who calls it finds no fault in how it was written.
        assert route.dependant.call is not None
        assert callable(route.app)
    assert len(routes) >= FEWEST
