"""A library without a name that we use is named when the program starts, with what to do."""

import pytest
import sqlmodel
import uvicorn
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from sqlalchemy.orm.state import InstanceState

from shared.base.internals import require_internals

USED = [
    (uvicorn.Server, ["main_loop", "on_tick"], ["main_loop", "should_exit"]),
    (InstanceState, ["key"], []),
    (sqlmodel.SQLModel, ["__pydantic_fields__"], []),
    (Dependant, ["call", "dependencies"], []),
    (APIRoute, [], ["dependant"]),
]


@pytest.mark.parametrize(("owner", "members", "attributes"), USED)
def test_what_is_installed_has_all_that_we_use(
    owner: type, members: list[str], attributes: list[str]
) -> None:
    require_internals("it", owner, members=members, attributes=attributes)


@pytest.mark.parametrize(
    ("name", "members", "attributes"),
    [("on_tock", ["main_loop", "on_tock"], []), ("begun", [], ["started", "begun"])],
)
def test_a_name_that_a_release_has_no_more_is_told_with_what_to_do(
    name: str, members: list[str], attributes: list[str]
) -> None:
    # Given a release in which a name is another, When it is checked,
    with pytest.raises(ImportError) as refusal:
        require_internals("uvicorn 9.0", uvicorn.Server, members=members, attributes=attributes)
    # Then the sentence says which, of what, and what to install.
    assert str(refusal.value) == (
        f"uvicorn 9.0 has no Server.{name}, which Stappenplan uses: "
        "install the release that requirements.lock names"
    )
