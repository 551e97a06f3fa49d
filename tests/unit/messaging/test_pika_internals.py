"""The private names of pika that we use are there, or the program says so when it starts."""

import ast
import inspect
from types import FunctionType

import pika  # noqa: TID251 - pika is the other party here.
import pytest

from shared.base.internals import names_in_code
from shared.messaging.rabbitmq import connection
from shared.messaging.rabbitmq.pika_internals import ATTRIBUTES, METHODS, require_internals


class PikaConnection:
    """Enough of pika's connection to set the attributes that it sets."""

    def __init__(self) -> None:
        self._body_max_length = self._frame_buffer = self._transport = None


def connection_class_without(name: str) -> type:
    """A class like pika's connection, in which one name is another."""
    code = PikaConnection.__init__.__code__
    names = tuple("_renamed" if attribute == name else attribute for attribute in code.co_names)
    initialize = FunctionType(code.replace(co_names=names), {})
    methods = {method: initialize for method in METHODS if method != name}
    return type("SelectConnection", (), {"__init__": initialize, **methods})


def test_the_pika_that_is_installed_has_them_all() -> None:
    # Given the pika that is installed; when it is checked; then nothing is missing
    require_internals(pika.SelectConnection, pika.__version__)


@pytest.mark.parametrize("name", [*METHODS, *ATTRIBUTES])
def test_one_that_is_missing_is_named_with_what_to_do(name: str) -> None:
    # Given a pika that has another name for it
    connection_class = connection_class_without(name)
    # When it is checked, Then the sentence names it, the version, and what to install
    with pytest.raises(ImportError) as refusal:
        require_internals(connection_class, "2.0")
    assert str(refusal.value) == (
        f"pika 2.0 has no SelectConnection.{name}, which Stappenplan uses: "
        "install pika>=1.4.4,<1.5 (see pyproject.toml)"
    )


def test_every_private_name_of_pika_that_we_use_is_on_the_list() -> None:
    # Given every private name in our connection, and every one that pika's connection has
    tree = ast.parse(inspect.getsource(connection))
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    used |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    ours = {name for name in used if name.startswith("_") and not name.startswith("__")}
    pikas = names_in_code(pika.SelectConnection) | set(dir(pika.SelectConnection))
    # When they are compared, Then the list has those that are in both: what we use of pika's,
    # and no name of our own that happens to be one of pika's too.
    assert ours & pikas == {*METHODS, *ATTRIBUTES}
