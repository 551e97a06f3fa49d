"""`stappenplan mail preview`: every mail and text of every service, for people to look at."""

from pathlib import Path

from infra.composition import service_names
from infra.operations.mail.preview import LANGUAGES, render_all, write
from shared.host.settings import Settings
from shared.notifications.rendering.template_files import suffixes
from shared.notifications.senders import Email
from shared.processing.testing import MONDAY
from tests.unit.notifications.paper import templates_of


def kinds_and_channels() -> set[tuple[str, str]]:
    """What there are templates of: each kind, as a mail or as a text message."""
    folders = [path for name in service_names() for path in templates_of(name).glob("*")]
    return {(path.name, suffix) for path in folders if path.is_dir() for suffix in suffixes(path)}


def test_every_mail_and_text_is_shown_in_both_languages(tmp_path: Path) -> None:
    # Given all templates of all services, When their examples are written,
    rendered = render_all(Settings(), MONDAY)
    index = write(rendered, tmp_path / "preview")
    # Then there is one of each kind and channel in each language,
    for language in LANGUAGES:
        shown = {
            (one.message.kind, ".md" if isinstance(one.message, Email) else ".sms.txt")
            for one in rendered
            if one.language == language
        }
        assert shown == kinds_and_channels()
    # each under a name of its own, and the page leads to every file.
    names = {(one.language, one.example.name, one.example.mail.channel) for one in rendered}
    assert len(names) == len(rendered)
    written = [path for path in index.parent.rglob("*") if path.is_file() and path != index]
    page = index.read_text()
    assert len(written) > len(rendered)
    assert all(f'href="{path.relative_to(index.parent)}"' in page for path in written)


def test_examples_are_written_in_the_language_of_their_reader() -> None:
    # Given the examples in Dutch and in English, When their greetings are read,
    for one in render_all(Settings(), MONDAY):
        if isinstance(one.message, Email):
            # Then none greets, or says why it comes, in the other language.
            other = ("Dear ", "You are receiving") if one.language == "nl" else ("Beste ", "U ont")
            assert not any(word in one.message.text for word in other), one.example.name
