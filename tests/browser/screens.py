"""Screenshots that stay: how each page looked when somebody looked at it and found it good."""

import os
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageChops
from playwright.sync_api import Locator, Page

from tests.browser.standing import wait_until_it_stands
from tests.servers.premises import ServerError, wait_until

SCREENS = Path(__file__).parent / "screens"
FAILED = Path(__file__).parents[2] / "build" / "screens"
WRITE = "STAPPENPLAN_WRITE_SCREENS"

DIFFERENT_PIXELS = 0.001
"""The part of a page's pixels that may differ."""

SAME_SHADE = 16
"""Of 255: how far a colour may be off and still count as the same."""

SECONDS_TO_SETTLE = 5.0


def assert_looks_like(page: Page, name: str, *, hide: Sequence[Locator] = ()) -> None:
    """Raise AssertionError unless the whole page looks as in `screens/NAME.png`.

    `hide` are parts that differ from run to run, e.g. a reference; they are painted over. With
    STAPPENPLAN_WRITE_SCREENS=1 the screenshot is written instead: look at it before you commit it.
    """
    assert_image_is(settled_screenshot(page, hide), name)


def assert_image_is(actual: Image.Image, name: str, screens: Path = SCREENS) -> None:
    """Compare with the image of this name, or write it; a failure leaves both and what differs."""
    path = screens / f"{name}.png"
    if os.environ.get(WRITE) == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        actual.save(path, optimize=True)
        return
    assert path.exists(), f"there is no {path}: look at the page, then run with {WRITE}=1"
    expected = Image.open(path).convert("RGB")
    reason = difference(expected, actual)
    if reason:
        folder = _keep(name, expected, actual)
        raise AssertionError(
            f"{name} looks different: {reason}. Compare the images in {folder}; "
            f"if the new one is right, run with {WRITE}=1"
        )


def settled_screenshot(page: Page, hide: Sequence[Locator] = ()) -> Image.Image:
    """The whole page, as soon as two screenshots on end are the same."""
    wait_until_it_stands(page)
    taken = [b"", _screenshot(page, hide)]

    def is_settled() -> bool:
        taken[:] = [taken[-1], _screenshot(page, hide)]
        return taken[0] == taken[1]

    try:
        wait_until(is_settled, f"{page.url} stands still", SECONDS_TO_SETTLE)
    except ServerError as error:
        raise AssertionError(f"{error}: hide what moves, or wait for it first") from None
    return Image.open(BytesIO(taken[-1])).convert("RGB")


def difference(expected: Image.Image, actual: Image.Image) -> str | None:
    """What differs, in words; None where nobody could see it."""
    if expected.size != actual.size:
        return f"it is {_size(actual)} pixels, and was {_size(expected)}"
    differing = _differing(expected, actual).histogram()[255]
    share = differing / (actual.width * actual.height)
    if share <= DIFFERENT_PIXELS:
        return None
    return f"{share:.2%} of its pixels differ, {DIFFERENT_PIXELS:.1%} may"


def _screenshot(page: Page, hide: Sequence[Locator]) -> bytes:
    return page.screenshot(
        full_page=True,
        animations="disabled",
        caret="hide",
        scale="css",
        mask=list(hide),
        mask_color="#888888",
    )


def _differing(expected: Image.Image, actual: Image.Image) -> Image.Image:
    """White where a pixel differs in any of its colours, black elsewhere."""
    red, green, blue = ImageChops.difference(expected, actual).split()
    most = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return most.point([0 if value <= SAME_SHADE else 255 for value in range(256)])


def _keep(name: str, expected: Image.Image, actual: Image.Image) -> Path:
    folder = FAILED / name
    folder.mkdir(parents=True, exist_ok=True)
    size = (max(expected.width, actual.width), max(expected.height, actual.height))
    on_one_size = []
    for kind, image in (("expected", expected), ("actual", actual)):
        image.save(folder / f"{kind}.png")
        canvas = Image.new("RGB", size, "white")
        canvas.paste(image)
        on_one_size.append(canvas)
    _differing(*on_one_size).save(folder / "difference.png")
    return folder


def _size(image: Image.Image) -> str:
    return f"{image.width} × {image.height}"
