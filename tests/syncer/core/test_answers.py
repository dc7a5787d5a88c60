import pytest

from syncer.core.answers import MISSING, Answers, UnreadableError, at, names_of, nested, read_json, records_error


@pytest.mark.parametrize(
    ("value", "path", "found"),
    [
        ({"a": 1}, "", {"a": 1}),
        ({"a": {"b": 1}}, "a.b", 1),
        ({"a.b": 2, "a": {"b": 1}}, "a.b", 2),
        ({"a": None}, "a", None),
        ({"a": None}, "a.b", MISSING),
        ({"a": [1]}, "a.0", MISSING),
        ([], "a", MISSING),
        ({}, "a", MISSING),
    ],
)
def test_what_is_at_a_place(value, path, found):
    assert at(value, path) == found


def test_dotted_names_become_objects():
    flat = {"type": "posts", "author.id": 5, "author.kind": "user", "a.b.c": None}
    assert nested(flat) == {"type": "posts", "author": {"id": 5, "kind": "user"}, "a": {"b": {"c": None}}}
    assert all(at(nested(flat), path) == value for path, value in flat.items())


def test_a_body_is_json_or_empty():
    assert read_json(b" ") is None
    with pytest.raises(UnreadableError, match="sent an answer that is not JSON"):
        read_json(b"[" * 100_000)


def test_a_message_names_what_a_record_has():
    assert names_of({"_id": 1, "title": "A"}) == "_id, title"
    assert names_of({str(number): 0 for number in range(9)}) == "0, 1, 2, 3, 4, 5, 6, 7, …"
    assert names_of({}) == names_of("x") == "nothing"
    assert names_of({"a" * 61: 0, "id": 1}) == "…, id"  # what is cut could no longer be known as a secret
    assert repr(MISSING) == "MISSING"


@pytest.mark.parametrize(
    ("records", "why"),
    [
        ([], ""),
        ([{"key": {"id": 1}}], ""),
        ([{"key": {"id": 1}}, 5], "lists records that are not JSON objects"),
        ([{"key": 1, "_id": 2}], "has records without a readable 'key.id'; they have: key, _id"),
        ([{"key": {"id": None}}], "has records without a readable 'key.id'; they have: key"),
    ],
)
def test_every_record_of_a_list_must_have_an_id(records, why):
    assert records_error(records, Answers(id="key.id")) == why


@pytest.mark.parametrize(
    ("record", "is_deleted", "or_archived"),
    [
        ({"id": 1, "deleted": True}, True, True),
        ({"isDeleted": "true"}, True, True),
        ({"deleted_at": "2026-11-29"}, True, True),
        ({"date_trashed": 1_700_000_000}, True, True),
        ({"status": "Trash"}, True, True),
        ({"deleted": False, "deleted_at": None, "is_deleted": "0", "status": "draft"}, False, False),
        ({"deleted": {"by": 1}, "items_deleted": 5}, False, False),
        ({"archived": True}, False, True),
        ({"state": "archived"}, False, True),
        ({"removed": True, "title": "A"}, False, False),
        ("deleted", False, False),
    ],
)
def test_a_record_says_of_itself_that_it_was_deleted(record, is_deleted, or_archived):
    answers = Answers(names=frozenset({"title", "removed"}))
    assert answers.is_deleted(record) is is_deleted
    assert answers.is_deleted(record, or_archived=True) is or_archived
