import tomllib

import pytest

from syncer.core.toml_lines import line_of, locate

DOCUMENT = '''# [targets.comment]
[targets.one] # a header
"u\\u0072l" = "http://x#[no] \\", b = 1" # a comment
auth = { type = "none", "a.b" = 1.5 }
text = """
[targets.fake]
url = "x"
"""
raw = \'\'\'it's\'\'\'
when = 2024-01-01 07:00:00
x . y.z = 3
[[targets.one.routes]]
model = "a"
lookup = [
  "a", # ]
  "b",
]
[targets.one.routes.fields]
userId = "user_id"
[[targets.one.routes]]
nested = [[1, 2], [{ k = 1 }], []]
empty = {}
[targets.two]
last = true'''


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("targets", "one"), 2),
        (("targets", "one", "url"), 3),
        (("targets", "one", "auth", "type"), 4),
        (("targets", "one", "auth", "a.b"), 4),
        (("targets", "one", "text"), 5),
        (("targets", "one", "raw"), 9),
        (("targets", "one", "when"), 10),
        (("targets", "one", "x", "y", "z"), 11),
        (("targets", "one", "routes"), 12),
        (("targets", "one", "routes", 0, "model"), 13),
        (("targets", "one", "routes", 0, "lookup", 1), 16),
        (("targets", "one", "routes", 0, "fields", "userId"), 19),
        (("targets", "one", "routes", 1), 20),
        (("targets", "one", "routes", 1, "nested", 1, 0, "k"), 21),
        (("targets", "one", "routes", 1, "empty"), 22),
        (("targets", "two", "last"), 24),
    ],
)
def test_every_key_has_its_line(place, line):
    assert locate(DOCUMENT)[place] == line


def test_nothing_is_located_that_the_document_does_not_have():
    def places(value: object, at: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        return {at} | {place for key, inner in items for place in places(inner, (*at, key))}

    assert set(locate(DOCUMENT)) == places(tomllib.loads(DOCUMENT)) - {()}


@pytest.mark.parametrize(
    ("place", "line"), [(("targets", "one", "missing"), 2), (("targets", "one", "routes", 1, "no", "no"), 20), ((), 1)]
)
def test_what_is_missing_is_where_its_table_is(place, line):
    assert line_of(locate(DOCUMENT), place) == line
