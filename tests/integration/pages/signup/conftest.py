"""One running system, and the people at signup's pages."""

import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import httpx
import pytest

from shared.host.settings import Settings
from tests.e2e.stage import Stage, one_process
from tests.integration.http.conftest import Api
from tests.visitors import Visitor, staff_visitor

Staffing = Callable[..., Visitor]
SITE = "https://www.zuid.example"


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The embedded default, with a KING that does nothing by itself."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("pages"), http_port=0, log_level="error")
    with one_process(settings, simulate_king=False) as stage:
        stage.open_office("0077", pays_for_customers="no", sites=[SITE], color="#1a6b54")
        stage.open_office("0088", language="en", name="The Quay", email="office@quay.example")
        yield stage


@pytest.fixture(scope="package")
def api(stage: Stage) -> Api:
    return Api(stage)


@pytest.fixture
def customer(stage: Stage) -> Visitor:
    """Somebody with a browser, who is not signed in."""
    return Visitor(stage.settings, stage.addresses["signup"])


@pytest.fixture
def staff(stage: Stage) -> Staffing:
    """Signs somebody in, in a role."""

    def sign_in(role: str = "king", office: str | None = None) -> Visitor:
        return staff_visitor(stage.settings, stage.addresses["signup"], role, office)

    return sign_in


def filled_in(company: str, **changes: Any) -> dict[str, Any]:
    """What a customer types into the form; `payer__kind` is the field `payer.kind`."""
    fields = {
        "customer.company": company,
        "customer.kvk": "",
        "customer.address.street": "Dorpsstraat",
        "customer.address.number": "12",
        "customer.address.postcode": "1234ab",
        "customer.address.city": "Voorbeeldstad",
        "customer.address.country": "NL",
        "customer.contact.first_name": "Anna",
        "customer.contact.last_name": "Vries",
        "customer.email": f"{re.sub('[^a-z]', '', company.lower())}@winkel.example",
        "customer.mobile": "06 12345601",
        "customer.language": "nl",
        "package.code": "compleet",
        "package.modules": ["bank"],
        "payer.kind": "customer",
        "payer.iban": "NL91 ABNA 0417 1643 00",
        "preferred_channel": "sms",
        "terms_accepted": "yes",
    }
    return fields | {name.replace("__", "."): value for name, value in changes.items()}


def hidden_fields(page: httpx.Response) -> dict[str, Any]:
    """What a page carries along in its form, as the browser would post it."""
    fields: dict[str, Any] = {}
    for name, value in re.findall(
        r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text
    ):
        fields.setdefault(unescape(name), []).append(unescape(value))
    return fields


def field_value(page: httpx.Response, name: str) -> str:
    """What stands in a field of a page."""
    found = re.search(
        rf'<input id="[^"]+" name="{re.escape(name)}"[^>]* value="([^"]*)"', page.text
    )
    assert found, f"there is no field {name}"
    return unescape(found[1])
