"""Texts that trap programs. Content is kept as it was sent, or refused; it is never mended in silence."""

from dataclasses import dataclass

from tests.hostile.cases import KEPT, REFUSED


@dataclass(frozen=True)
class Text:
    """`refused` is what the message of each entry point says, as a regular expression; empty: it is kept.

    `form` is what a page's form makes of it where it differs: browsers send line breaks in one way, and Django takes
    the space at both ends away, as the pages say.
    """

    value: str
    refused: str = ""
    form: str | None = None

    @property
    def outcome(self) -> str:
        return REFUSED if self.refused else KEPT


BLANK = "blank|required|A value is missing"

TEXTS = {
    "a null": Text("a\0b", "Null characters are not allowed|holds a NUL"),
    "half a character": Text("a\ud800b", "surrogate|not UTF-8"),
    "halves in the wrong order": Text("\ude00\ud83d", "surrogate|not UTF-8"),
    "one character too many": Text("x" * 257, "at most 25[56] characters"),
    "a space": Text(" ", BLANK),
    "a space that does not break": Text("\u00a0\u2003", BLANK),
    "spaces without width": Text("\u200b\u2060\ufeff", BLANK),
    "a control of direction": Text("\u202e", BLANK),
    "controls": Text("\x01\x7f", BLANK),
    "a letter that is empty": Text("\u3164", BLANK),
    "an accent without a letter": Text("\u0301", BLANK),
    "a direction that is turned": Text("a\u202eb\u2066c"),
    "spaces without width within": Text("a\u200bb\u2060\ufeffc"),
    "two hundred accents": Text("a" + "\u0301" * 200),
    "code points that are no characters": Text("a\uffff\ufdd0\U0010ffff"),
    "an escape sequence": Text("a\x1b[31mb\x08"),
    "controls of another age": Text("a\x85\x9bb"),
    "line breaks": Text("a\r\nb", form="a\nb"),
    "a line separator": Text("a\u2028b"),
    "characters of four bytes": Text("\U0001f600" * 255),
    "spaces around": Text("  a  ", form="a"),
    "a letter in two parts": Text("e\u0301"),
    "a letter in one part": Text("é"),
    "letters that look alike": Text("аdmin"),  # noqa: RUF001 - the first one is Cyrillic
    "letters that change with case": Text("ſtraße İ ﬁ Ａ"),  # noqa: RUF001
    "a script": Text("<script>alert(1)</script>"),
    "a template": Text("{{7*7}} {% now %} %s {0} ${x}"),
    "a statement": Text("'; DROP TABLE news_post; --"),
    "a path": Text("../../etc/passwd"),
    "a header": Text("a\r\nSet-Cookie: a=b", form="a\nSet-Cookie: a=b"),
    "a formula": Text("=cmd|' /C calc'!A0"),
    "a damaged character": Text("a\ufffdb"),
}
