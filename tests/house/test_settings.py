"""`infra/env.example` lists every setting with its default, so that nobody must read the code."""

import re
from pathlib import Path

import pytest

from shared.host.settings import Creditor, Settings
from shared.host.staff_settings import StaffSettings

ROOT = Path(__file__).parents[2]
LINE = re.compile(r"^(STAPPENPLAN_[A-Z_]+)=(.*)$", re.MULTILINE)
DEPENDS_ON_THE_FOLDER = "STAPPENPLAN_CATALOGUE"
DEPENDS_ON_THE_BROKER = "STAPPENPLAN_STRICT_PUBLISHERS"


def listed() -> dict[str, str]:
    return dict(LINE.findall((ROOT / "infra" / "env.example").read_text()))


def defaults(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name in listed():
        monkeypatch.delenv(name, raising=False)
    defaults_by_name = {}
    for model, prefix in (
        (Settings, "STAPPENPLAN_"),
        (Creditor, "STAPPENPLAN_CREDITOR_"),
        (StaffSettings, "STAPPENPLAN_"),
    ):
        for name, value in model().model_dump(exclude={"creditor", "staff"}).items():
            shown = str(value).lower() if isinstance(value, bool) else str(value)
            defaults_by_name[prefix + name.upper()] = shown
    return defaults_by_name


def test_every_setting_is_listed_with_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given the settings as they are when nothing is set,
    expected = defaults(monkeypatch)
    # When the list is read,
    in_the_list = listed()
    # Then it has them all, and no other, each with its default.
    assert in_the_list.keys() == expected.keys()
    expected[DEPENDS_ON_THE_FOLDER] = "infra/catalogue.toml"
    expected[DEPENDS_ON_THE_BROKER] = ""
    assert in_the_list == expected


def test_the_list_can_be_given_to_a_process_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given the defaults,
    plain = Settings(), Creditor()
    # When every line of the list is set as it stands,
    for name, value in listed().items():
        if name != DEPENDS_ON_THE_FOLDER:
            monkeypatch.setenv(name, value)
    # Then nothing changes.
    assert (Settings(), Creditor()) == plain
    # And whoever takes it over, and has a broker user for each, is not the less strict for it.
    monkeypatch.setenv("STAPPENPLAN_BROKER_URL", "amqp://{service}:secret@127.0.0.1:1/")
    assert Settings().strict_publishers
