"""Whether everybody is a user of their own at the broker: by that the default is strict."""

import pytest
from pydantic import ValidationError

from infra.operations.doctor.rights_check import user_of
from shared.host.settings import Settings
from shared.messaging.addresses import read_broker_url

EACH, ALL = "amqp://{service}:secret@{}:5672/", "amqp://shared:secret@{}:5672/"


def at(address: str, host: str) -> str:
    return address.replace("{}", host)


@pytest.mark.parametrize(
    ("broker_url", "strict"),
    [
        ("memory://", False),
        (at(EACH, "one"), True),
        (at(ALL, "one"), False),
        (f"{at(EACH, 'one')},{at(EACH, 'two')}, {at(EACH, 'three')}", True),
        # By another name than their own the broker vouches for nobody whom the services know,
        ("amqp://stappenplan-{service}:secret@one/", False),
        # and the name of a service elsewhere than in the user's place makes nobody a user.
        ("amqp://shared:secret@one/{service}", False),
        ("amqp://shared:{service}@one/", False),
        ("amqp://{service}.broker.example/", False),
    ],
)
def test_it_is_strict_where_everybody_has_a_user(broker_url: str, strict: bool) -> None:
    assert Settings(broker_url=broker_url).strict_publishers is strict


@pytest.mark.parametrize("broker_url", [at(ALL, "one"), "amqp://shared:secret@one/{service}"])
def test_nobody_can_be_vouched_for_where_one_user_speaks_for_all(broker_url: str) -> None:
    with pytest.raises(ValidationError, match="vouch for nobody"):
        Settings(broker_url=broker_url, strict_publishers=True)


@pytest.mark.parametrize("urls", [(EACH, ALL), (ALL, EACH)])
def test_the_addresses_of_a_cluster_have_one_kind_of_user(urls: tuple[str, str]) -> None:
    # Given a cluster that is reached by one address as oneself, and by another as all,
    broker_url = ",".join(map(at, urls, ("one", "two")))
    # When it is set, Then that is refused: by the second address, nobody would be believed.
    with pytest.raises(ValidationError, match="in each of them, or in none"):
        Settings(broker_url=broker_url)
    with pytest.raises(ValidationError, match="in each of them, or in none"):
        Settings(broker_url=broker_url, strict_publishers=False)


@pytest.mark.parametrize(
    ("broker_url", "user"),
    [
        ("amqp://anna:a,b%2Cc@one/v,amqp://anna:x@two/v", "anna"),
        ("amqp://{service}:a,b@one/v", "billing"),
        ("amqp://an%2Cna:x@one/v", "an,na"),
        ("amqp://one/v", "guest"),
    ],
)
def test_the_doctor_asks_for_the_rights_of_the_user_whatever_the_password(
    broker_url: str, user: str
) -> None:
    assert user_of(Settings(broker_url=broker_url), "billing") == user


@pytest.mark.parametrize("user", ["billing", "website-0042", "website-Kantoor Zuid @ 100%/2"])
def test_a_user_of_any_name_stands_in_the_address_as_one(user: str) -> None:
    settings = Settings(broker_url="amqp://{service}:pw@one:5672/v,amqps://{service}:pw@two/v")
    for address in read_broker_url(settings.broker_url_of(user)):
        assert (address.user, address.password, address.path) == (user, "pw", "/v")
