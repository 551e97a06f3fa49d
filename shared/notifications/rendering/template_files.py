"""The files that a service's notifications are made of, and which of them are missing.

Only names are looked at, and no template engine is loaded: every start can afford it.
`Renderer.check` looks inside as well.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

LANGUAGES = ("nl", "en")
MAIL_SUFFIX, SMS_SUFFIX = ".md", ".sms.txt"

LAYOUT_FOLDER = Path(__file__).parent / "templates"
LAYOUT_FILES = ("layout.html", *(f"footer.{language}.txt" for language in LANGUAGES))
"""What every mail needs beside its own template."""


def missing_templates(folder: Path, kinds: Iterable[str] = ()) -> list[str]:
    """A sentence for each file that the notifications of `folder` lack; empty when complete.

    Each kind is a folder in it, and what it has in one language it must have in every one.
    `kinds` are those that must be there.
    """
    present = sorted(path for path in folder.glob("*") if path.is_dir())
    return [
        *_missing_layout_files(),
        *(f"{kind} has no template" for kind in kinds if not suffixes(folder / kind)),
        *(sentence for path in present for sentence in _missing_languages(path)),
    ]


def suffixes(kind_folder: Path) -> list[str]:
    """Those of mail and text message that this kind has, in whichever language."""
    return [
        suffix
        for suffix in (MAIL_SUFFIX, SMS_SUFFIX)
        if any((kind_folder / f"{language}{suffix}").exists() for language in LANGUAGES)
    ]


def _missing_layout_files() -> Iterator[str]:
    for name in LAYOUT_FILES:
        if not (LAYOUT_FOLDER / name).is_file():
            yield f"{LAYOUT_FOLDER / name} is missing, and no mail can do without; install again"


def _missing_languages(kind_folder: Path) -> Iterator[str]:
    names = {path.name for path in kind_folder.iterdir()}
    endings = {
        name.removeprefix(language)
        for name in names
        for language in LANGUAGES
        if name.startswith(f"{language}.")
    }
    for file_name in (f"{language}{end}" for end in sorted(endings) for language in LANGUAGES):
        if file_name not in names:
            yield f"{kind_folder.name}/{file_name} is missing; another language has it"
