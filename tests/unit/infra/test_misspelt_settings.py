"""Variables that are meant for us and are no setting: refused, told of, or somebody else's."""

import pytest

from infra.environment import known_names, misspelt, strangers

BY_THE_PLATFORM = {
    # Kubernetes, for Services named `stappenplan` and `stappenplan-signup`,
    "STAPPENPLAN_SERVICE_HOST": "10.0.0.7",
    "STAPPENPLAN_SERVICE_PORT": "8080",
    "STAPPENPLAN_SERVICE_PORT_HTTP": "8080",
    "STAPPENPLAN_PORT": "tcp://10.0.0.7:8080",
    "STAPPENPLAN_PORT_8080_TCP": "tcp://10.0.0.7:8080",
    "STAPPENPLAN_PORT_8080_TCP_PROTO": "tcp",
    "STAPPENPLAN_PORT_8080_TCP_ADDR": "10.0.0.7",
    "STAPPENPLAN_SIGNUP_PORT_8081_TCP_PORT": "8081",
    "STAPPENPLAN_SIGNUP_PORT": "tcp://10.0.0.8:8081",
    # Docker, for a link,
    "STAPPENPLAN_NAME": "/web/stappenplan",
    "STAPPENPLAN_ENV_PATH": "/usr/bin",
    # and people, for what stands beside us.
    "STAPPENPLAN_TOKEN": "eyJ",
    "STAPPENPLAN_TEST_BROKER_URL": "amqp://guest:guest@localhost",
    "STAPPENPLAN_HTTPS_PORTS": "",
}


def test_what_nobody_wrote_stops_nobody() -> None:
    assert (misspelt(BY_THE_PLATFORM), strangers(BY_THE_PLATFORM)) == ({}, [])


def test_every_setting_is_one() -> None:
    environment = dict.fromkeys(known_names(), "1")
    assert (misspelt(environment), strangers(environment)) == ({}, [])


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("STAPPENPLAN_DATABSE_URL", "STAPPENPLAN_DATABASE_URL"),
        ("STAPPENPLAN_BROKERURL", "STAPPENPLAN_BROKER_URL"),
        ("STAPPENPLAN_BROKER", "STAPPENPLAN_BROKER_URL"),
        ("STAPPENPLAN_STRICT", "STAPPENPLAN_STRICT_PUBLISHERS"),
        ("STAPPENPLAN_PRENOTIFICATION_DAY", "STAPPENPLAN_PRENOTIFICATION_DAYS"),
        ("STAPPENPLAN_CREDITOR_ADRESS", "STAPPENPLAN_CREDITOR_ADDRESS"),
        ("STAPPENPLAN_HTTTP_PORT", "STAPPENPLAN_HTTP_PORT"),
        ("STAPPENPLAN_MIAL", "STAPPENPLAN_MAIL"),
        ("STAPPENPLAN_PORT", "STAPPENPLAN_HTTP_PORT"),
        ("STAPENPLAN_BROKER_URL", "STAPPENPLAN_BROKER_URL"),
        ("stappenplan_broker_ulr", "STAPPENPLAN_BROKER_URL"),
    ],
)
def test_a_misspelt_setting_is_refused_with_the_one_that_is_meant(name: str, setting: str) -> None:
    assert misspelt({name: "secret"}) == {
        name.upper(): f"there is no such setting; do you mean {setting}?"
    }


def test_a_setting_of_a_newer_version_is_only_told_of() -> None:
    # Given settings of a newer version, to which this one was rolled back for a while,
    newer = {"STAPPENPLAN_FAXES": "1", "STAPPENPLAN_DATABASE_LIMIT": "1"}
    # When they are read, Then this one can start, and says that they change nothing.
    assert misspelt(newer) == {}
    assert strangers(newer) == ["STAPPENPLAN_DATABASE_LIMIT", "STAPPENPLAN_FAXES"]


def test_a_value_that_stands_for_nothing_is_no_setting() -> None:
    assert misspelt({"STAPPENPLAN_BROKER_ULR": ""}) == {}
