"""A service whose templates are not complete says so before its first mail."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import services
from shared.notifications.rendering import template_files
from shared.notifications.rendering.renderer import TemplatesIncomplete
from shared.notifications.rendering.template_files import LAYOUT_FILES, missing_templates
from tests.unit.notifications.paper import renderer

MAIL = "{% block subject %}Dag{% endblock %}{% block body %}Dag {{ name }}{% endblock %}"
SERVICE_FOLDERS = sorted(path.parent for path in Path(services.__path__[0]).glob("*/templates"))


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """One kind, as a mail and as a text message, and a document's texts beside it."""
    folder = tmp_path / "templates"
    for kind in ("greeting", "document"):
        (folder / kind).mkdir(parents=True)
    for language in ("nl", "en"):
        (folder / "greeting" / f"{language}.md").write_text(MAIL)
        (folder / "greeting" / f"{language}.sms.txt").write_text("Dag {{ name }}")
        (folder / "document" / f"{language}.toml").write_text("")
    (folder / "document" / "document.typ").write_text("")
    return folder


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The layout's folder, as an installation has it."""
    folder = tmp_path / "layout"
    folder.mkdir()
    for name in LAYOUT_FILES:
        text = (template_files.LAYOUT_FOLDER / name).read_text(encoding="utf-8")
        (folder / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(template_files, "LAYOUT_FOLDER", folder)
    return folder


def faults(templates: Path, *kinds: str) -> str:
    with pytest.raises(TemplatesIncomplete) as failure:
        renderer(templates).check(kinds)
    return str(failure.value)


@pytest.mark.parametrize("service", SERVICE_FOLDERS, ids=lambda path: path.name)
def test_no_service_of_ours_lacks_a_template(service: Path) -> None:
    assert missing_templates(service / "templates") == []


def test_complete_templates_lack_nothing(templates: Path, layout: Path) -> None:
    assert missing_templates(templates, ["greeting"]) == []
    renderer(templates).check(["greeting"])


def test_a_service_without_templates_needs_none(tmp_path: Path) -> None:
    assert missing_templates(tmp_path / "nowhere") == []


@pytest.mark.parametrize("name", ["greeting/en.md", "greeting/nl.sms.txt", "document/en.toml"])
def test_what_is_there_in_one_language_must_be_in_each(templates: Path, name: str) -> None:
    # Given a file that is there in the other language only
    (templates / name).unlink()
    # When it is looked for, Then it is named, and by the deep check as well.
    (sentence,) = missing_templates(templates)
    assert sentence == f"{name} is missing; another language has it"
    assert sentence in faults(templates)


def test_a_kind_that_must_be_there_and_is_not_is_named(templates: Path) -> None:
    # Given a kind without a folder, and one whose folder holds no message
    # When they must be there, Then both are named.
    sentences = ["unheard_of has no template", "document has no template"]
    assert missing_templates(templates, ["greeting", "unheard_of", "document"]) == sentences
    assert all(text in faults(templates, "unheard_of", "document") for text in sentences)


@pytest.mark.parametrize("name", LAYOUT_FILES)
def test_an_installation_without_its_layout_is_told_so(
    templates: Path, layout: Path, name: str
) -> None:
    # Given a package that was built without one of the files around every mail
    (layout / name).unlink()
    # When it is looked for, Then it is named, and by the deep check as well.
    (sentence,) = missing_templates(templates)
    assert sentence.startswith(f"{layout / name} is missing")
    assert sentence in faults(templates, "greeting")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{% block subject %}Dag{% endblock %}", "greeting/en.md has no body"),
        ("{% block body %}Dag{% endblock %}", "greeting/en.md has no subject"),
        ("{% block subject %}", "greeting/en.md: TemplateSyntaxError"),
    ],
)
def test_the_deep_check_looks_inside(templates: Path, text: str, fault: str) -> None:
    # Given a template that is there, and of no use
    (templates / "greeting" / "en.md").write_text(text)
    # When it is only looked for, Then nothing is missing; the deep check finds it.
    assert missing_templates(templates, ["greeting"]) == []
    assert fault in faults(templates, "greeting")


def test_the_deep_check_looks_into_the_layout(templates: Path, layout: Path) -> None:
    (layout / "layout.html").write_text("{{ body")
    assert "layout.html: TemplateSyntaxError" in faults(templates)


@pytest.mark.parametrize(
    "program",
    [
        "from shared.notifications.rendering.template_files import missing_templates\n"
        "missing_templates(Path('services/signup/templates'))",
        "import shared.notifications.delivery.sender",
        "from shared.notifications.senders import make_senders\n"
        "make_senders(mail='ses', sms='sns', data_dir=Path(), mail_from='', sms_sender='')",
    ],
    ids=["the look at the files", "the sender", "the senders"],
)
def test_what_a_start_needs_of_mails_loads_no_engine_for_them(program: str) -> None:
    # Given a process that does just this, When it has, Then it has loaded nothing for later.
    tell = "import json, sys\nprint(json.dumps(sorted(sys.modules)))"
    output = subprocess.run(
        [sys.executable, "-c", f"from pathlib import Path\n{program}\n{tell}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    loaded = set(json.loads(output))
    assert loaded & {"jinja2", "markdown_it", "babel", "boto3", "botocore", "typst"} == set()
