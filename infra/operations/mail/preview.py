"""Every mail and text as a file, and one page from which to look at them all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from secrets import token_urlsafe

from infra.composition import build_services
from infra.operations.mail.examples import ONBOARDING, Example, examples
from shared.events.shapes import Language
from shared.host.settings import Settings
from shared.links import PageLinks
from shared.notifications.rendering.jobs import RenderJob
from shared.notifications.rendering.renderer import Renderer
from shared.notifications.senders import OutgoingMessage, Sms

LANGUAGES: tuple[Language, ...] = ("nl", "en")
PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Mails and texts</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto;
  padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0;
  border-bottom: 1px solid #ddd; }}
</style></head><body>
<h1>Mails and texts</h1>
<p>With made-up people, and links that open nothing.</p>
<table><thead><tr><th>Service</th><th>Mail</th><th>Language</th><th>Subject</th><th>Look</th></tr></thead>
<tbody>
{rows}
</tbody></table></body></html>
"""


@dataclass(frozen=True)
class Rendered:
    """An example, and what its recipient gets."""

    example: Example
    language: Language
    message: OutgoingMessage


def render_all(settings: Settings, now: datetime) -> list[Rendered]:
    """Every example in each language; its links are signed with a key that nobody keeps."""
    pages = PageLinks(settings.base_url, [token_urlsafe(32)])
    renderers = {
        service.name: Renderer(service.templates, pages) for service in build_services(settings)
    }
    return [
        Rendered(example, language, _render(renderers[example.service], example, now))
        for language in LANGUAGES
        for example in examples(language, now)
    ]


def _render(renderer: Renderer, example: Example, now: datetime) -> OutgoingMessage:
    mail = example.mail
    job = RenderJob(
        kind=mail.kind,
        channel=mail.channel,
        language=mail.language,
        params={**mail.params, **example.secrets},
        to=mail.to,
        message_key="preview",
        about=mail.about or ONBOARDING,
        reply_to=mail.reply_to,
    )
    return renderer.render(job, now)


def write(rendered: Sequence[Rendered], folder: Path) -> Path:
    """Write each as HTML and text under its language, and the page; returns the page.

    Raises:
        OSError: the folder cannot be written.
    """
    rows = []
    for one in rendered:
        files = {f"{one.language}/{name}": text for name, text in _files(one)}
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        rows.append(_row(one, list(files)))
    index = folder / "index.html"
    index.write_text(PAGE.format(rows="\n".join(rows)), encoding="utf-8")
    return index


def _files(one: Rendered) -> Iterator[tuple[str, str]]:
    message, name = one.message, one.example.name
    if isinstance(message, Sms):
        yield f"{name}.sms.txt", f"To: {message.to}\n\n{message.text}\n"
        return
    head = f"To: {message.to}\nReply-To: {message.reply_to or '-'}\nSubject: {message.subject}\n"
    yield f"{name}.html", message.html
    yield f"{name}.txt", f"{head}\n{message.text}"


def _row(one: Rendered, files: Sequence[str]) -> str:
    message = one.message
    subject = message.text if isinstance(message, Sms) else message.subject
    links = " ".join(f'<a href="{name}">{name.rpartition(".")[2]}</a>' for name in files)
    cells = (one.example.service, one.example.name, one.language, subject)
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}<td>{links}</td></tr>"
