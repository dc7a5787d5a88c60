"""How two texts differ, word by word, for people to read."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WORDS = re.compile(r"\w+|\s+|.", re.DOTALL)
TAGS = {"equal": "span", "delete": "del", "insert": "ins"}


def segments(old: str, new: str) -> Iterator[tuple[str, str]]:
    """The pieces of both texts in reading order: `("equal" | "delete" | "insert", text)`."""
    before, after = WORDS.findall(old), WORDS.findall(new)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < 0.5:  # hardly a word in common: the one, then the other, is easier to read
        changes = [(False, old, new)]
    else:
        changes = [
            (tag == "equal", "".join(before[start:end]), "".join(after[new_start:new_end]))
            for tag, start, end, new_start, new_end in matcher.get_opcodes()
        ]
    for equal, gone, come in _joined(changes):
        if equal:
            yield "equal", gone
        else:
            yield from (piece for piece in (("delete", gone), ("insert", come)) if piece[1])


def _joined(changes: list[tuple[bool, str, str]]) -> list[tuple[bool, str, str]]:
    """Changed words with only a space or a comma between them become one piece."""
    joined: list[tuple[bool, str, str]] = []
    for number, (equal, gone, come) in enumerate(changes):
        inside = 0 < number < len(changes) - 1
        same = equal and not (inside and not re.search(r"\w", gone))
        if joined and not same and not joined[-1][0]:
            joined[-1] = (False, joined[-1][1] + gone, joined[-1][2] + come)
        else:
            joined.append((same, gone, come))
    return joined


def as_html(old: str, new: str) -> SafeString:
    """The differences as HTML: what went in `<del>`, what came in `<ins>`."""
    pieces = ((TAGS[kind], text, TAGS[kind]) for kind, text in segments(old, new))
    return format_html('<span class="difference">{}</span>', format_html_join("", "<{}>{}</{}>", pieces))
