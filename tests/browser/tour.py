"""A visit of every kind of page, and what each was found to be."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.browser.audit import AXE, findings
from tests.browser.replay import Replay
from tests.browser.watching import Watched

WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
DARK = "document.documentElement.classList.replace('light', 'dark') || document.documentElement.classList.add('dark')"
OF_FRAMES = ("html-has-lang", "html-lang-valid", "document-title")
NAVIGATION = "#nav-sidebar"  # the same on each page, so that axe looks at it on the first only
IN_THE_DARK = ("color-contrast", "target-size")
LOOK = """() => ({
    title: document.title.trim(),
    lang: document.documentElement.lang,
    headings: document.querySelectorAll("h1").length,
    mains: document.querySelectorAll("main, [role=main]").length,
    skips: document.querySelector("a[href='#main']") !== null,
    width: document.documentElement.scrollWidth,
})"""


@dataclass(frozen=True)
class Seen:
    """One page.

    Attributes:
        address: its path.
        light, dark: what axe finds, in the light on a desktop and in the dark on a phone.
        looks: the answer of LOOK, on a phone.
        faults: what `Watched` noted.
    """

    address: str
    light: list[str]
    dark: list[str]
    looks: dict[str, Any]
    faults: list[str]


@contextmanager
def context(chrome: Any, url: str) -> Iterator[Any]:
    made = chrome.new_context(base_url=url, viewport=WIDE, reduced_motion="reduce", color_scheme="light")
    made.add_init_script(path=AXE)
    yield made
    made.close()


def tour(
    page: Any, host: str, replay: Replay, answers: Mapping[str, Any], foreign: Collection[str] = ()
) -> dict[str, Seen]:
    """Open each answer, and return what was seen by its name; of `foreign` pages only the frame is ours."""
    watched = Watched(page.context, host)
    return {
        name: _visit(page, replay, made, watched, is_first=number == 0, is_foreign=name in foreign)
        for number, (name, made) in enumerate(answers.items())
    }


def _visit(page: Any, replay: Replay, made: Any, watched: Watched, *, is_first: bool, is_foreign: bool) -> Seen:
    before = len(watched.faults)
    path = replay.open(page, made)
    known = NAVIGATION if not is_first else ""
    light = findings(page, *(OF_FRAMES if is_foreign else ()), without=known)
    page.evaluate(DARK)
    page.set_viewport_size(NARROW)
    dark = findings(page, *(OF_FRAMES if is_foreign else IN_THE_DARK), without=known)
    looks = page.evaluate(LOOK)
    page.set_viewport_size(WIDE)
    return Seen(path, light, dark, looks, watched.faults[before:])
