"""No address with a token or a search word leaves the process by way of FastAPI's telemetry."""

import os
import subprocess
import sys

PROGRAM = """
from fastapi.testclient import TestClient
from opentelemetry import trace

told = []


class Tracer(trace.NoOpTracer):
    def start_span(self, name, *args, **rest):
        told.append(name)
        return super().start_span(name, *args, **rest)


class Provider(trace.TracerProvider):
    def get_tracer(self, *args, **rest):
        return Tracer()


trace.set_tracer_provider(Provider())

from shared.links import PageLinks
from shared.web.app import create_app
from shared.web.pages import Site, pages_router

pages = pages_router()


@pages.get("/status/{token}")
def status(token: str) -> str:
    return token


app = create_app([pages], token_key="k" * 40, site=Site(PageLinks("http://testserver", ["k" * 40])))
print("answered", TestClient(app).get("/status/secret-token?q=devries").status_code)
print("told", told)
"""


def test_whoever_collects_traces_hears_of_no_address() -> None:
    # Given a process whose surroundings ask FastAPI to report what it does
    environment = {**os.environ, "FASTAPI_OTEL_AUTO_CONFIGURE": "true"}
    # When a customer opens the page behind their link
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
        timeout=60,
    )
    # Then nothing is reported, its token least of all.
    assert done.stdout.splitlines() == ["answered 200", "told []"]
