"""Small files, short functions: what is larger is listed here, each with its reason."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOUSE = ("services", "shared", "infra")
LONGEST_FILE = 300
LONGEST_FUNCTION = 25
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

MADE_OF = "a constructor: it names what the whole is made of, once"
ONE_SENTENCE_EACH = "a table in the shape of code: a line for each field"
NEEDS_MUCH = "a handler: it names everything it needs, a line for each"
OPTIONS = "a command: its options, each with its help"

LARGE_FILES: dict[str, str] = {}
LONG_FUNCTIONS = {
    "infra/operations/administration/command.py create": OPTIONS,
    "services/activation/handlers.py _order_credentials": "a path with each of its refusals",
    "services/billing/confirmation/document.py _data": ONE_SENTENCE_EACH,
    "services/billing/confirmation/notices.py _confirmation": ONE_SENTENCE_EACH,
    "services/billing/handlers.py place_order": NEEDS_MUCH,
    "services/signup/form/validation.py check": "every field of the form is checked in one place",
    "services/signup/handlers.py accept_signup": NEEDS_MUCH,
    "shared/host/runtime.py __init__": MADE_OF,
    "shared/host/tasks.py __init__": MADE_OF,
    "shared/messaging/rabbitmq/bus.py __init__": MADE_OF,
    "shared/messaging/rabbitmq/consumer.py __init__": MADE_OF,
    "shared/messaging/rabbitmq/frames.py _decode_properties": "AMQP's own table of properties",
    "shared/messaging/rabbitmq/frames.py encode_properties": "AMQP's own table of properties",
    "shared/messaging/rabbitmq/reconnecting_channel.py __init__": MADE_OF,
    "shared/persistence/database.py _engine": "every option of both databases in one place",
    "shared/processing/dead_letters.py reject": ONE_SENTENCE_EACH,
    "shared/processing/engine.py __init__": MADE_OF,
}


def sources() -> Iterator[Path]:
    """The product's own code; what Alembic wrote down once is never changed again."""
    for folder in HOUSE:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def lines_of(node: ast.stmt) -> int:
    return (node.end_lineno or 0) - node.lineno + 1


def own_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function without its docstring, and without the functions inside it."""
    docstring = lines_of(function.body[0]) if ast.get_docstring(function) is not None else 0
    return lines_of(function) - docstring - sum(lines_of(part) for part in inner(function))


def inner(node: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions that are written within another, as a router's are."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, FUNCTIONS):
            yield child
        else:
            yield from inner(child)


def large_files() -> dict[str, int]:
    sizes = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources()}
    return {name: lines for name, lines in sizes.items() if lines > LONGEST_FILE}


def long_functions() -> dict[str, int]:
    return {
        f"{path.relative_to(ROOT)} {node.name}": lines
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, FUNCTIONS) and (lines := own_lines(node)) > LONGEST_FUNCTION
    }


def test_no_file_is_crowded_but_those_with_a_reason() -> None:
    crowded = large_files()
    assert {name: lines for name, lines in crowded.items() if name not in LARGE_FILES} == {}


def test_no_function_does_too_much_but_those_with_a_reason() -> None:
    long = long_functions()
    assert {name: lines for name, lines in long.items() if name not in LONG_FUNCTIONS} == {}


def test_no_exception_outlives_its_reason() -> None:
    # Given the files and functions that may be larger, When one of them has been cut,
    # Then it is taken from the list, so that it cannot grow again unseen.
    assert LARGE_FILES.keys() - large_files().keys() == set()
    assert LONG_FUNCTIONS.keys() - long_functions().keys() == set()


def test_a_function_is_measured_without_its_docstring_and_without_what_is_inside_it() -> None:
    (function,) = ast.parse(
        'def outer():\n    """One,\n    two."""\n    if True:\n'
        "        def inner():\n            return 1\n    return inner\n"
    ).body
    assert isinstance(function, ast.FunctionDef)
    assert own_lines(function) == 3
