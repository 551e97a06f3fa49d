"""Debian's Chromium, and all that decides what it paints: its fonts and its way of drawing them.

Two machines must paint the same page alike, so nothing is left to the machine: the browser sees
the fonts that are named here and no other, whatever else is installed, and whatever family a
stylesheet asks for ends in one of them.
"""

import os
import tempfile
from functools import partial
from pathlib import Path

from tests.servers.debian import ensure
from tests.servers.premises import ServerError

PROGRAM = Path("/usr/lib/chromium/chromium")
"""The browser itself: Debian's launcher beside it adds what the machine's owner has set."""

GIVEN = "STAPPENPLAN_TEST_CHROMIUM"
"""Names another Chromium, where Debian's cannot be had."""

FONTS = Path("/usr/share/fonts/truetype")
FONT_FILES = {
    "fonts-noto-core": tuple(
        FONTS / "noto" / f"NotoSans-{style}.ttf"
        for style in ("Regular", "Bold", "Italic", "BoldItalic")
    ),
    "fonts-dejavu-core": tuple(
        FONTS / "dejavu" / f"DejaVu{style}.ttf"
        for style in ("Sans", "Sans-Bold", "SansMono", "SansMono-Bold")
    ),
}
"""Noto Sans for text, DejaVu for code and for the signs that Noto Sans lacks."""

FAMILIES = {
    "sans-serif": "Noto Sans",
    "serif": "Noto Sans",
    "system-ui": "Noto Sans",
    "ui-sans-serif": "Noto Sans",
    "monospace": "DejaVu Sans Mono",
    "ui-monospace": "DejaVu Sans Mono",
}

FLAGS = (
    # What is painted is the same everywhere.
    "--font-render-hinting=none",
    "--disable-lcd-text",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--disable-gpu",
    "--disable-skia-runtime-opts",
    "--disable-partial-raster",
    # It knows no machine but this one: a page that wants another gets no answer.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--disable-background-networking",
    # A container's /dev/shm is often too small.
    "--disable-dev-shm-usage",
)

ALIAS = """  <match target="pattern">
    <test name="family"><string>{family}</string></test>
    <edit name="family" mode="assign" binding="strong"><string>{font}</string></edit>
  </match>
"""
FONTCONFIG = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <cachedir>{cache}</cachedir>
{folders}
  <selectfont>
    <rejectfont><glob>*</glob></rejectfont>
{accepted}
  </selectfont>
{aliases}  <match target="pattern">
    <edit name="family" mode="append_last">
      <string>Noto Sans</string><string>DejaVu Sans</string>
    </edit>
  </match>
  <match target="font">
    <edit name="antialias" mode="assign"><bool>true</bool></edit>
    <edit name="hinting" mode="assign"><bool>false</bool></edit>
    <edit name="rgba" mode="assign"><const>none</const></edit>
  </match>
</fontconfig>
"""


def chromium() -> Path:
    """The browser, installed with its fonts if need be.

    Raises:
        ServerError: it is not there and cannot be installed; the text says what to do.
    """
    for package, files in FONT_FILES.items():
        ensure(package, partial(_all_there, files))
    given = os.environ.get(GIVEN)
    if given and not Path(given).is_file():
        raise ServerError(
            f"{GIVEN} names {given}, which is not there; name a Chromium, or unset it"
        )
    return Path(given) if given else ensure("chromium", partial(_all_there, (PROGRAM,)))


def environment(folder: Path) -> dict[str, str]:
    """What the browser is told of the machine: its fonts, and a home that is empty.

    `folder` is where that is written; it must stay for as long as the browser runs.
    """
    settings = folder / "fonts.conf"
    settings.write_text(fontconfig(folder / "font-cache"))
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "HOME": tempfile.mkdtemp(prefix="home-", dir=folder),
        "LANG": "C.UTF-8",
        "FONTCONFIG_FILE": str(settings),
    }


def fontconfig(cache: Path) -> str:
    """The settings of fontconfig that leave our fonts and no other."""
    files = [path for paths in FONT_FILES.values() for path in paths]
    folders = sorted({str(path.parent) for path in files})
    return FONTCONFIG.format(
        cache=cache,
        folders="\n".join(f"  <dir>{folder}</dir>" for folder in folders),
        accepted="\n".join(f"    <acceptfont><glob>{path}</glob></acceptfont>" for path in files),
        aliases="".join(ALIAS.format(family=name, font=font) for name, font in FAMILIES.items()),
    )


def _all_there(files: tuple[Path, ...]) -> Path | None:
    return files[0] if all(path.is_file() for path in files) else None
