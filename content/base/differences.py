"""Word-by-word differences between two texts, for people to read."""

import re
from collections.abc import Iterator

from diff_match_patch import diff_match_patch
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WORDS = re.compile(r"\w+|\s+|.", re.DOTALL)
TAGS = {diff_match_patch.DIFF_EQUAL: "span", diff_match_patch.DIFF_DELETE: "del", diff_match_patch.DIFF_INSERT: "ins"}
PRIVATE_USE = 0xE000  # the library prefers to cut at word boundaries; private-use letters are neither words nor spaces
LONGEST = 1_000_000  # letters of both texts together; Unicode has more from PRIVATE_USE on, so each word can have one
SECONDS = 0.2  # for one pair of texts; then the library returns coarser differences


def segments(old: str, new: str) -> Iterator[tuple[str, str]]:
    """Yield the pieces of both texts in reading order: `("span" | "del" | "ins", text)`.

    The library compares letters, so each word is replaced by one letter. Otherwise "Shipped" and "Delivered" would
    share their "ed".
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
    """Return the differences as HTML, with deleted text in `<del>` and inserted text in `<ins>`."""
    pieces = ((tag, text, tag) for tag, text in segments(old, new))
    return format_html('<span class="difference">{}</span>', format_html_join("", "<{}>{}</{}>", pieces))
