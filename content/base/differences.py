"""How two texts differ, word by word, for people to read."""

import re
from collections.abc import Iterator

from diff_match_patch import diff_match_patch
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WORDS = re.compile(r"\w+|\s+|.", re.DOTALL)
TAGS = {diff_match_patch.DIFF_EQUAL: "span", diff_match_patch.DIFF_DELETE: "del", diff_match_patch.DIFF_INSERT: "ins"}
PRIVATE_USE = 0xE000  # letters that are neither words nor spaces to the library, which likes to cut at those
LONGEST = 1_000_000  # letters of both texts, so that each word can have a letter: from PRIVATE_USE on Unicode has more
SECONDS = 0.2  # for one pair of texts; beyond it the differences become coarser


def segments(old: str, new: str) -> Iterator[tuple[str, str]]:
    """Yield the pieces of both texts in reading order: `("span" | "del" | "ins", text)`.

    The library compares letters, so it is given one for each word: "Shipped" and "Delivered" have no "ed" in common.
    """
    if len(old) + len(new) > LONGEST:
        yield from (("del", old), ("ins", new))
        return
    letters: dict[str, str] = {}
    before, after = (
        "".join(letters.setdefault(word, chr(PRIVATE_USE + len(letters))) for word in WORDS.findall(text))
        for text in (old, new)
    )
    words = list(letters)
    library = diff_match_patch()
    library.Diff_Timeout = SECONDS
    pieces = library.diff_main(before, after, checklines=False)
    library.diff_cleanupSemantic(pieces)
    for kind, piece in pieces:
        yield TAGS[kind], "".join(words[ord(letter) - PRIVATE_USE] for letter in piece)


def as_html(old: str, new: str) -> SafeString:
    """Show the differences as HTML: what was deleted in `<del>`, what was inserted in `<ins>`."""
    pieces = ((tag, text, tag) for tag, text in segments(old, new))
    return format_html('<span class="difference">{}</span>', format_html_join("", "<{}>{}</{}>", pieces))
