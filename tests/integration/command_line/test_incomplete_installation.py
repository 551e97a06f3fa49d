"""An installation that lacks a template is told so before a customer waits for their mail."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.composition import build_service
from infra.operations.doctor import sending_checks
from infra.operations.doctor.diagnosis import diagnose
from infra.operations.doctor.finding import Finding
from infra.run import runtimes
from infra.run.supervisor import Supervisor
from shared.base.errors import StappenplanError
from shared.host.service import Service
from shared.host.settings import Settings
from shared.notifications.rendering import template_files
from shared.persistence.database import Database

MISSING = Path("order_confirmation") / "en.md"


@pytest.fixture
def billing(tmp_path: Path) -> Service:
    """Billing, with a copy of its folder that a test may damage."""
    service = build_service("billing", Settings())
    folder = tmp_path / "billing"
    shutil.copytree(service.folder, folder)
    return replace(service, folder=folder)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", http_port=0, log_level="error")


def installed(monkeypatch: pytest.MonkeyPatch, module: Any, service: Service) -> None:
    """Have a module find this service among the others, in the place of the shipped one."""
    shipped = module.build_services

    def build_services(*arguments: Any) -> list[Service]:
        return [service if other.name == service.name else other for other in shipped(*arguments)]

    monkeypatch.setattr(module, "build_services", build_services)


def test_a_service_that_lacks_a_template_does_not_start(
    billing: Service, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an installation in which a mail is missing in one language,
    (billing.templates / MISSING).unlink()
    installed(monkeypatch, runtimes, billing)
    supervisor = Supervisor(settings)
    # When it is started, Then it refuses with a sentence that says what is missing, and what to do;
    with pytest.raises(StappenplanError, match=f"billing .*{MISSING} is missing.*nstall"):
        supervisor.__enter__()
    # and the services that were started before it are stopped.
    assert supervisor.unfinished == []
    assert [name for runtime in supervisor.runtimes for name in runtime.at_work()] == []


def test_a_layout_that_is_missing_stops_every_service(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Given an installation without the layout of the mails,
    monkeypatch.setattr(template_files, "LAYOUT_FOLDER", tmp_path)
    # When it is started, Then the first service refuses,
    with pytest.raises(StappenplanError, match=r"layout\.html is missing"):
        Supervisor(settings).__enter__()
    # before anything was written to a database.
    for name in ("signup", "activation"):
        database = Database(settings.database_url_of(name))
        with database.engine.connect() as connection:
            tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar()
        database.close()
        assert tables == 0


def templates(settings: Settings) -> Finding:
    (finding,) = [finding for finding in diagnose(settings) if finding.check == "templates"]
    return finding


@pytest.mark.parametrize(
    "written", [None, "{% block subject %}", "{% block subject %}{% endblock %}"]
)
def test_the_doctor_names_a_template_that_is_missing_or_cannot_be_used(
    billing: Service, settings: Settings, monkeypatch: pytest.MonkeyPatch, written: str | None
) -> None:
    # Given an installation in which a mail is missing, is cut off, or has no text,
    installed(monkeypatch, sending_checks, billing)
    assert templates(settings).ok
    file = billing.templates / MISSING
    file.unlink() if written is None else file.write_text(written)
    # When the doctor looks, Then the mail is named, and what to do.
    finding = templates(settings)
    assert not finding.ok
    assert str(MISSING) in finding.finding
    assert "nstall" in finding.advice
