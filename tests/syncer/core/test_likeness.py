"""What servers make of what they are sent, and whether the record is still recognized."""

import pytest

from syncer.core.answers import Answers
from syncer.core.decide import Sought
from syncer.core.likeness import bucket, decisive, folded, is_equal, is_similar, search

TIME = "2026-11-29T10:00:00.123456+00:00"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("Ann@Example.com", "ann@example.com"),
        ("  A  b\n", "A b"),
        ("a < b & c", "a &lt; b &amp; c"),
        ("a < b", "a &amp;lt; b"),
        ("O'Neil", "O\\'Neil"),
        ("a b", "a%20b"),
        ("e\u0301", "\u00e9"),
        ("\u210c\u2460", "H1"),
        ("Stra\u00dfe", "STRASSE"),
        ("a\u200bb", "ab"),
        (5, "5"),
        (5, 5.0),
        ("9.90", 9.9),
        ("+5", "5"),
        (0, "-0.00"),
        (1000000, "1e6"),
        (True, 1),
        (False, "no"),
        (None, ""),
        ([], None),
        (TIME, "2026-11-29T10:00:00Z"),
        (TIME, "2026-11-29 10:00:00"),
        (TIME, "2026-11-29T11:00:00.123+01:00"),
        (TIME, "Sun, 29 Nov 2026 10:00:00 GMT"),
        (TIME, 1795946400),
        (TIME, 1795946400123),
        ("2026-11-29", "2026-11-29T00:00:00Z"),
        (5, {"id": 5, "title": "the author"}),
        ("A", {"rendered": "a", "raw": "A"}),
        ({"a": 1}, {"a": "1", "b": 2}),
        (["a", 1], ["A", "1"]),
    ],
)
def test_spellings_of_one_value_are_equal(sent, shown):
    assert is_equal(sent, shown)
    assert is_similar(sent, shown)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("a" * 30, "a" * 25),
        ("a" * 25, "a" * 30),
        ("Opening hours in winter 2026", "Opening ho"),
        ("Opening hours in winter 2026", "Opening hours ..."),
        ("Opening <b>hours</b> in winter", "Opening <b>hours</b"),
        ("Opening hours & more", "Opening hours &am"),
        ("<b>Hello</b> you", "Hello you"),
        ("Zo\u00eb", "Zoe"),
        ('say "hi"', "say \u201chi\u201d"),
        (TIME, "2026-11-29T11:00:00"),
        (TIME, "2026-11-29T05:30:00"),
        ("?!", "..."),
    ],
)
def test_what_a_server_may_have_made_of_a_value_is_similar_and_not_equal(sent, shown):
    assert not is_equal(sent, shown)
    assert is_similar(sent, shown) is (sent != "?!")


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("A", "B"),
        ("a", "ab"),
        ("Opening hours", "Opening hours in winter"),
        ("Newsletter 12", "Newsletter 1"),
        ("Page 12", "Page"),
        (5, 6),
        (5, None),
        ("x", ""),
        (True, 0),
        (TIME, "2026-11-29T10:07:00Z"),
        (TIME, "2026-12-01T10:00:00Z"),
        (TIME, "2026-99-99T10:00:00Z"),
        (TIME, "Sun, 99 Nov 2026 10:00:00 GMT"),
        (1795946400, 5),
        ("x", ["x"]),
        (["x"], "x"),
        ([1, 2], [2, 1]),
        ([1], [1, 2]),
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, "a"),
        (5, {"id": 6}),
        (5, {"name": 5}),
        ("1e9999999", "2"),
        ("1" * 40, "1" * 39 + "2"),
    ],
)
def test_other_values_are_neither(sent, shown):
    assert not is_equal(sent, shown)
    assert not is_similar(sent, shown)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("<b>Hello</b> you out there", "hello you out..."),
        (TIME, 1795946400),
        (True, "yes"),
        (False, 0),
        ("A", {"rendered": "a"}),
        ({"name": "x"}, {}),
        ([1], [2]),
    ],
)
def test_values_that_may_be_similar_are_indexed_under_one_text(sent, shown):
    assert bucket(sent) == bucket(shown)


def test_only_so_many_levels_of_escapes_are_taken_off():
    assert folded("&amp;" + "amp;" * 9 + "lt;") == "&amp;amp;amp;amp;amp;amp;lt;"


# --- records ---------------------------------------------------------------------------------------------------------
BODY = {"title": "A", "userId": 1, "body": "text"}
SOUGHT = Sought(body=BODY, lookup=("userId", "title"))


def found(*records, sought=SOUGHT, **options):
    return [(one.remote_id, one.is_equal) for one in search(records, sought, Answers(), **options)]


@pytest.mark.parametrize(
    ("record", "is_ours"),
    [
        (BODY | {"id": 1}, True),
        (BODY | {"id": 1, "more": True}, True),
        ({"id": 1, "title": "a ", "userId": "1"}, True),  # a list may leave fields out
        (BODY | {"id": 1, "body": "other"}, False),
        (BODY | {"id": 1, "userId": 2}, None),
        (BODY | {"id": 1, "title": "B"}, None),
        ({"id": 1}, False),  # nothing shows that it is another record
        ({"id": 1, "body": "text"}, False),
        (BODY, None),
        (BODY | {"id": None}, None),
    ],
)
def test_a_listed_record_is_ours_or_alike_or_neither(record, is_ours):
    assert found(record) == ([] if is_ours is None else [("1", is_ours)])


def test_a_record_that_is_listed_twice_is_one_and_a_bound_one_is_none_whatever_the_type_of_its_id():
    assert found(BODY | {"id": 1}, BODY | {"id": "1", "title": "a"}, BODY | {"id": 2}, taken={"2"}) == [('"1"', True)]


def test_a_record_is_recognized_under_the_names_that_the_route_has_today():
    sought = Sought(body=BODY, lookup=("title",), renamed={"title": "name"})
    assert found({"id": 1, "name": "A"}, {"id": 2, "name": "B"}, sought=sought) == [("1", True)]


@pytest.mark.parametrize(
    ("record", "is_ours"),
    [
        ({"id": 1, "title": "B", "userId": 1, "body": "older"}, True),
        ({"id": 1, "title": "A", "userId": 1, "body": "older"}, False),  # neither what it held nor what it is to hold
        ({"id": 1, "title": "B", "userId": 1, "body": "text"}, None),
    ],
)
def test_a_record_that_still_holds_what_was_accepted_before_is_ours_too(record, is_ours):
    sought = Sought(body=BODY, lookup=("title",), before=BODY | {"title": "B", "body": "older"})
    assert found(record, sought=sought) == ([] if is_ours is None else [("1", is_ours)])


def test_only_a_single_equal_record_is_decisive():
    records = [BODY | {"id": 1}, BODY | {"id": 2, "body": "other"}]
    assert getattr(decisive(search(records, SOUGHT, Answers())), "remote_id", None) == "1"
    assert decisive(search([*records, BODY | {"id": 3}], SOUGHT, Answers())) is None
    assert decisive([]) is None


@pytest.mark.parametrize(
    ("sent", "shown", "similar"),
    [
        ("Łódź by Night", "lodz by night", True),
        ("Grüße", "Gruesse", True),
        ("Grüße", "Gresse", False),
        ("Rock & Roll", "rock-and-roll", True),
        ("Grüße", "Gr??e", True),
        ("Grüße", "Gr?ße", False),
        ("Привет", "??????", True),
        ("Привет", "?????", False),
        ("Hi 🎉 all", "Hi", True),
        ("Hi 🎉 all", "Ho", False),
        ("🎉 Party", "", True),
        (10.505, "10.51", True),
        (10.505, 10.5, True),
        (10.505, 10.6, True),
        (10.505, 12, False),
        (10.5, 10.505, False),
        (10, 11, False),
        ("&", "", False),
    ],
)
def test_a_text_or_number_of_which_something_is_lost_is_similar(sent, shown, similar):
    assert is_similar(sent, shown) is similar


@pytest.mark.parametrize(
    ("sent", "shown"), [("Grüße", "GrÃ¼ÃŸe"), ("Grüße", "Gr\xc3\xbc\xc3\x9fe"), ("Grüße €", "Grüße €")]
)
def test_a_text_that_was_read_in_another_encoding_is_equal(sent, shown):
    assert is_equal(sent, shown)


def test_a_record_that_is_marked_as_deleted_is_none():
    assert (
        search([{"id": 1, "title": "A", "deleted": True}], Sought(body={"title": "A"}, lookup=("title",)), Answers())
        == []
    )
