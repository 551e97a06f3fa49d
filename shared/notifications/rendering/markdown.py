"""Markdown to the HTML of a mail, in which a value can never become markup.

Each value goes into the Markdown as a placeholder that means nothing there, and takes its place
only in the finished HTML, escaped. So no escaping rule of Markdown has to be trusted: a customer
named `*Bold* [x](http://evil)` appears under just that name.
"""

import html
import re
import secrets
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

LINKABLE_SCHEMES = frozenset({"http", "https", "mailto"})
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
    "color:#12263f;white-space:nowrap;",
    "blockquote": "margin:0 0 16px;padding:12px 16px 1px 16px;border-left:4px solid #d97706;"
    "background:#fff7ea;border-radius:0 6px 6px 0;",
    "hr": "margin:24px 0;border:0;border-top:1px solid #dfe5ec;",
    "table": "width:100%;margin:0 0 24px;border-collapse:collapse;",
    "th": "padding:10px 12px 10px 0;text-align:left;vertical-align:top;font-size:14px;"
    "line-height:20px;font-weight:600;color:#52606d;border-bottom:2px solid #dfe5ec;",
    "td": "padding:10px 12px 10px 0;text-align:left;vertical-align:top;"
    "border-bottom:1px solid #dfe5ec;overflow-wrap:anywhere;",
}
LABEL = "overflow-wrap:normal;width:30%;color:#52606d;"
"""The first cell of a row names it: a narrow screen must not break its word in two."""
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

MARKER = f"v{secrets.token_hex(8)}n"
"""It cannot be guessed, so no value can name another one's place. One marker for all mails of a
process, since patterns are compiled with it: to do that for each mail cost as much as the rest."""

PLACEHOLDER = re.compile(rf"{MARKER}(\d+)x")
BEFORE_A_STOP = re.compile(rf"{MARKER}(\d+)x((?:</(?:strong|em)>)?)\.(?!\.)")
HREF_WITH_PLACEHOLDER = re.compile(rf'href="([^"]*{MARKER}\d+x[^"]*)"')
BRACKETED_PLACEHOLDER = re.compile(rf"<({MARKER}\d+x)>")
ESCAPED_AUTOLINK = re.compile(rf"&lt;{MARKER}(\d+)x&gt;")
PARAGRAPH_OF_PLACEHOLDER = re.compile(rf"<p[^>]*>{MARKER}(\d+)x</p>")
LABELLED_PLACEHOLDER = re.compile(rf"\[([^\]\n]+)\]\(({MARKER}\d+x)\)")
BARE_EMAIL_ADDRESS = re.compile(r"[^\s<>@:/]+@[^\s<>@:/]+")
EMPHASIS = re.compile(r"(\*\*|\*|`)(?=\S)(.+?)(?<=\S)\1")

UNBROKEN = re.compile(r"(?<![\w-])(?:[SOKA]-[\d-]*\d|\+\d[\d ]{6,}\d)(?![\w-])")
"""References and telephone numbers: broken over two lines they read as something else."""

MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


class Placeholders:
    """The values of one mail, while its Markdown is turned into text and into HTML.

    Both are made of the same Markdown, for which the template is filled in once.
    """

    def __init__(self) -> None:
        self._values: list[str] = []
        self._button_urls: dict[int, str] = {}

    def put(self, value: str) -> str:
        """The placeholder that stands for a value in the Markdown."""
        self._values.append(value)
        return f"{MARKER}{len(self._values) - 1}x"

    def button(self, url: str, label: str) -> str:
        """The placeholder that stands for a button; it needs a paragraph of its own."""
        placeholder = self.put(label)
        self._button_urls[len(self._values) - 1] = url
        return placeholder

    def to_text(self, markdown: str) -> str:
        """The text without markup, each value in its place and as it is.

        Without buttons, a label and the address it leads to.
        """
        text = BRACKETED_PLACEHOLDER.sub(r"\1", self._one_stop(_text_of(markdown)))
        text = LABELLED_PLACEHOLDER.sub(r"\1 <\2>", text)
        return PLACEHOLDER.sub(lambda match: self._in_text(int(match[1])), text)

    def to_html(self, markdown: str) -> str:
        """The finished HTML, each value in its place and escaped."""
        page = _html_of(markdown)
        page = HREF_WITH_PLACEHOLDER.sub(self._href, page)
        # An autolink, <{{ url }}>: Markdown saw no scheme in it and left it as text.
        page = ESCAPED_AUTOLINK.sub(self._autolink, page)
        page = PARAGRAPH_OF_PLACEHOLDER.sub(self._paragraph, self._one_stop(page))
        return PLACEHOLDER.sub(lambda match: inline_html(self._values[int(match[1])]), page)

    def _href(self, match: re.Match[str]) -> str:
        target = html.unescape(match[1])
        url = PLACEHOLDER.sub(lambda place: self._values[int(place[1])], target)
        return f'href="{_link(url) or "#"}"'

    def _autolink(self, match: re.Match[str]) -> str:
        value = self._values[int(match[1])]
        text = inline_html(value)
        url = _link(f"mailto:{value}" if BARE_EMAIL_ADDRESS.fullmatch(value) else value)
        return f'<a href="{url}" style="{STYLES["a"]}">{text}</a>' if url else text

    def _paragraph(self, match: re.Match[str]) -> str:
        number = int(match[1])
        if number not in self._button_urls:
            return match[0]
        url = _link(self._button_urls[number]) or "#"
        label = inline_html(self._values[number])
        return BUTTON.format(cell=BUTTON_CELL, url=url, link=BUTTON_LINK, label=label)

    def _in_text(self, number: int) -> str:
        value, url = self._values[number], self._button_urls.get(number)
        return value if url is None else f"{value}: {url}"

    def _one_stop(self, text: str) -> str:
        """A sentence that ends with a value such as `Jansen B.V.` has its stop already."""

        def ending(match: re.Match[str]) -> str:
            return match[0][:-1] if self._values[int(match[1])].endswith(".") else match[0]

        return BEFORE_A_STOP.sub(ending, text)


@lru_cache(maxsize=256)
def _html_of(markdown: str) -> str:
    """Markdown as HTML, its placeholders left where they are.

    Mails of one kind are the same to Markdown, which sees none of their values: only for a longer
    list, or another of its template's conditions, has one to be read anew.
    """
    tokens = with_inline_styles(MARKDOWN.parse(markdown))
    html_: str = MARKDOWN.renderer.render(tokens, MARKDOWN.options, {})
    return html_


@lru_cache(maxsize=256)
def _text_of(markdown: str) -> str:
    """Markdown as text, its placeholders left where they are; kept as its HTML is."""
    lines = (_plain_line(line) for line in markdown.splitlines())
    text = "\n".join(line for line in lines if line is not None)
    return EMPHASIS.sub(r"\2", text)


def with_inline_styles(tokens: Iterable[Token]) -> list[Token]:
    """The tokens with their style written on each, since many mail programs drop style sheets.

    A table without headings loses its empty row of them, which a screen reader would read out,
    and its first column becomes the headings of the rows.
    """
    styled: list[Token] = []
    table_head: list[Token] = []
    in_table_head = False
    begins_row = False
    for token in tokens:
        _set_style(token)
        if token.type == "td_open":
            token.attrSet("class", "label" if begins_row else "value")
            if begins_row:
                token.attrSet("style", f"{token.attrs['style']}{LABEL}")
        begins_row = token.type == "tr_open"
        in_table_head = in_table_head or token.type == "thead_open"
        (table_head if in_table_head else styled).append(token)
        if token.type == "thead_close":
            if any(cell.content for cell in table_head if cell.type == "inline"):
                styled += table_head
            in_table_head, table_head = False, []
    return styled


def _set_style(token: Token) -> None:
    if token.nesting >= 0 and token.tag in STYLES:
        align = str(token.attrs.get("style", ""))
        token.attrSet("style", STYLES[token.tag] + align)
    for child in token.children or ():
        _set_style(child)


def _plain_line(line: str) -> str | None:
    """A row of a table as `name: value`; None for the rule under its headings."""
    if not line.startswith("|"):
        return line
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    if all(set(cell) <= set("-: ") for cell in cells):
        return None
    return ": ".join(cell for cell in cells if cell)


def inline_html(text: str) -> str:
    """A text without markup as HTML, its references and telephone numbers unbroken.

    The hyphens stay hyphens, so that whoever copies a reference can look it up.
    """
    unbroken = UNBROKEN.sub(r'<span style="white-space:nowrap;">\g<0></span>', html.escape(text))
    return unbroken.replace("\n", "<br>\n")


def _link(url: str) -> str | None:
    """The address as it may stand in an attribute; None unless a person may follow it."""
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        return None
    return html.escape(quote(url, safe=SAFE_IN_URL)) if scheme in LINKABLE_SCHEMES else None
