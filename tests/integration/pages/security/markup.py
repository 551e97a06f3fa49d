"""Texts that would be markup or a script where a page forgot to escape them, and finding those."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

MARK = "zq7"
HOSTILE = (
    f"{MARK}\"'><script>alert(1)</script>",
    f"{MARK}<img src=x onerror=alert(1)>",
    f'{MARK}" onfocus=alert(1) autofocus x="\'',
    f"{MARK}{{{{7*7}}}}{{%raw%}}${{7*7}}",
    f"{MARK}</title></textarea></script><svg/onload=alert(1)>",
    f"javascript:alert('{MARK}')",
)
"""What people might type who try us."""

ADDRESSES = frozenset({"href", "src", "action", "formaction", "hx-get", "hx-post"})


class Reader(HTMLParser):
    """Reads a page as a browser does, and notes what nobody of us wrote."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self.texts += [value for _, value in attrs if value]
        if tag == "script" and not (names.get("src") or "").startswith("/static/"):
            self.wrong.append("a script that is none of ours")
        if tag in ("svg", "img") and MARK not in tag and names.get("src") == "x":
            self.wrong.append(f"a tag that was typed: {tag}")
        for name, value in attrs:
            text = (value or "").strip().lower()
            if name.startswith("on") or name == "style" or MARK in name:
                self.wrong.append(f"an attribute that was typed: {name}")
            if name in ADDRESSES and (MARK in text.partition("?")[0] or text.startswith("j")):
                self.wrong.append(f"an address that was typed: {value}")

    handle_startendtag = handle_starttag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def shown_texts(html: str) -> list[str]:
    """The texts and the values of attributes of a page, each as its reader gets it."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader.texts


@dataclass
class Form:
    """A form on a page: where it is sent, and what stands in its fields."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    typed: set[str] = field(default_factory=set)


class FormReader(HTMLParser):
    """Finds the forms of a page that are posted, and the fields in them that people type into."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address, self._form = address, Form("")
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(names.get("action") or self._address)
            if names.get("method") == "post":
                self.forms.append(self._form)
        name, kind = names.get("name"), names.get("type", "text")
        if name is None or tag not in ("input", "textarea", "select"):
            return
        self._form.fields.setdefault(name, names.get("value", ""))
        if tag == "textarea" or kind in ("text", "search", "email", "tel", "url", "date"):
            self._form.typed.add(name)


def posted_forms(html: str, address: str) -> list[Form]:
    """The forms of a page into which somebody types."""
    reader = FormReader(address)
    reader.feed(html)
    return [form for form in reader.forms if form.typed]


def typed_markup(html: str, *, is_mail: bool = False) -> list[str]:
    """What of a page comes from what somebody typed, and is more than text."""
    reader = Reader()
    reader.feed(html)
    wrong = [found for found in reader.wrong if not (is_mail and "style" in found)]
    if re.search(rf"{MARK}\s*49", html):
        wrong.append("a text that was taken for a template")
    return wrong
