"""Markdown to the HTML of a mail, in which a value can never become markup.

Each value goes into the Markdown as a word that means nothing there, and takes its place only
in the finished HTML, escaped. So no escaping rule of Markdown has to be trusted: a customer
named `*Bold* [x](http://evil)` appears under just that name.
"""

import html
import re
import secrets
from collections.abc import Iterable
from urllib.parse import quote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

LINKABLE = frozenset({"http", "https", "mailto"})
SAFE_IN_URL = "!#$%&'()*+,/:;=?@[]~"

FONT = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Arial,sans-serif;"
CODE = "font-family:ui-monospace,Menlo,Consolas,monospace;"
STYLES = {
    "h1": f"{FONT}margin:0 0 16px;font-size:24px;line-height:32px;font-weight:700;color:#12263f;",
    "h2": f"{FONT}margin:32px 0 8px;font-size:18px;line-height:26px;font-weight:700;color:#12263f;",
    "h3": f"{FONT}margin:24px 0 8px;font-size:16px;line-height:24px;font-weight:700;color:#12263f;",
    "p": "margin:0 0 16px;",
    "ul": "margin:0 0 16px;padding:0 0 0 24px;",
    "ol": "margin:0 0 16px;padding:0 0 0 24px;",
    "li": "margin:0 0 6px;",
    "a": "color:#0b5cad;text-decoration:underline;overflow-wrap:anywhere;",
    "strong": "font-weight:700;color:#12263f;",
    "code": f"{CODE}font-size:1.05em;padding:2px 6px;border-radius:4px;background:#eef2f7;"
    "color:#12263f;",
    "blockquote": "margin:0 0 16px;padding:12px 16px 12px 16px;border-left:4px solid #d97706;"
    "background:#fff7ea;border-radius:0 6px 6px 0;",
    "hr": "margin:24px 0;border:0;border-top:1px solid #dfe5ec;",
    "table": "width:100%;margin:0 0 24px;border-collapse:collapse;",
    "th": "padding:10px 12px 10px 0;text-align:left;vertical-align:top;font-size:14px;"
    "line-height:20px;font-weight:600;color:#52606d;border-bottom:2px solid #dfe5ec;",
    "td": "padding:10px 12px 10px 0;text-align:left;vertical-align:top;"
    "border-bottom:1px solid #dfe5ec;overflow-wrap:anywhere;",
}
BUTTON_CELL = "border-radius:6px;background:#0b5cad;"
BUTTON_LINK = (
    f"{FONT}display:inline-block;padding:12px 24px;font-size:16px;line-height:24px;"
    "font-weight:600;color:#ffffff;text-decoration:none;border-radius:6px;border:1px solid #0b5cad;"
)
BUTTON = (
    '<table role="presentation" cellspacing="0" cellpadding="0" border="0" '
    'style="margin:8px 0 24px;"><tr><td class="button" bgcolor="#0b5cad" style="{cell}">'
    '<a class="button" href="{url}" style="{link}">{label}</a></td></tr></table>'
)

WORD = f"v{secrets.token_hex(8)}n"
"""It cannot be guessed, so no value can name another one's place. One word for all mails of a
process, since patterns are compiled with it: to do that for each mail cost as much as the rest."""

PLACE = re.compile(rf"{WORD}(\d+)x")
IN_LINK = re.compile(rf'href="([^"]*{WORD}\d+x[^"]*)"')
IN_BRACKETS = re.compile(rf"<({WORD}\d+x)>")
AUTOLINK = re.compile(rf"&lt;{WORD}(\d+)x&gt;")
PARAGRAPH = re.compile(rf"<p[^>]*>{WORD}(\d+)x</p>")
EMPHASIS = re.compile(r"(\*\*|\*|`)(?=\S)(.+?)(?<=\S)\1")

MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


class HiddenValues:
    """The values of one mail, while its Markdown is turned into HTML."""

    def __init__(self) -> None:
        self._values: list[str] = []
        self._buttons: dict[int, str] = {}

    def put(self, value: str) -> str:
        """The word that stands for a value in the Markdown."""
        self._values.append(value)
        return f"{WORD}{len(self._values) - 1}x"

    def button(self, url: str, label: str) -> str:
        """The word that stands for a button; it needs a paragraph of its own."""
        word = self.put(label)
        self._buttons[len(self._values) - 1] = url
        return word

    def to_html(self, markdown: str) -> str:
        """The finished HTML, each value in its place."""
        page = MARKDOWN.renderer.render(styled(MARKDOWN.parse(markdown)), MARKDOWN.options, {})
        page = IN_LINK.sub(self._href, page)
        # An autolink, <{{ url }}>: Markdown saw no scheme in it and left it as text.
        page = AUTOLINK.sub(self._autolink, page)
        page = PARAGRAPH.sub(self._paragraph, page)
        return PLACE.sub(lambda found: _text(self._values[int(found[1])]), page)

    def _href(self, found: re.Match[str]) -> str:
        target = html.unescape(found[1])
        url = PLACE.sub(lambda one: self._values[int(one[1])], target)
        return f'href="{_link(url) or "#"}"'

    def _autolink(self, found: re.Match[str]) -> str:
        value = self._values[int(found[1])]
        is_address = re.fullmatch(r"[^\s<>@:/]+@[^\s<>@:/]+", value)
        url = _link(f"mailto:{value}" if is_address else value)
        return f'<a href="{url}" style="{STYLES["a"]}">{_text(value)}</a>' if url else _text(value)

    def _paragraph(self, found: re.Match[str]) -> str:
        number = int(found[1])
        if number not in self._buttons:
            return found[0]
        url = _link(self._buttons[number]) or "#"
        label = _text(self._values[number])
        return BUTTON.format(cell=BUTTON_CELL, url=url, link=BUTTON_LINK, label=label)


class PlainText(HiddenValues):
    """The values of one mail, while its Markdown is turned into text without markup."""

    def button(self, url: str, label: str) -> str:
        """Without buttons, a label and the address it leads to."""
        return f"{self.put(label)}: {self.put(url)}"

    def to_text(self, markdown: str) -> str:
        """The finished text, each value in its place and as it is."""
        rows = (_row(line) for line in markdown.splitlines())
        text = "\n".join(row for row in rows if row is not None)
        text = EMPHASIS.sub(r"\2", text)
        text = IN_BRACKETS.sub(r"\1", text)
        return PLACE.sub(lambda found: self._values[int(found[1])], text)


def _row(line: str) -> str | None:
    """A row of a table as `name: value`; None for the rule under its headings."""
    if not line.startswith("|"):
        return line
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    if all(set(cell) <= set("-: ") for cell in cells):
        return None
    return ": ".join(cell for cell in cells if cell)


def styled(tokens: Iterable[Token]) -> list[Token]:
    """The tokens with their style written on each, since many mail programs drop style sheets.

    A table without headings loses its empty row of them, which a screen reader would read out,
    and its first column becomes the headings of the rows.
    """
    kept: list[Token] = []
    heading: list[Token] = []
    in_heading = False
    for token in tokens:
        _style(token)
        in_heading = in_heading or token.type == "thead_open"
        (heading if in_heading else kept).append(token)
        if token.type == "thead_close":
            if any(one.content for one in heading if one.type == "inline"):
                kept += heading
            in_heading, heading = False, []
    return kept


def _style(token: Token) -> None:
    if token.nesting >= 0 and token.tag in STYLES:
        align = str(token.attrs.get("style", ""))
        token.attrSet("style", STYLES[token.tag] + align)
    for child in token.children or ():
        _style(child)


def _text(value: str) -> str:
    return html.escape(value).replace("\n", "<br>\n")


def _link(url: str) -> str | None:
    """The address as it may stand in an attribute; None unless a person may follow it."""
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        return None
    return html.escape(quote(url, safe=SAFE_IN_URL)) if scheme in LINKABLE else None
