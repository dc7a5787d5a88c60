from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.core.lookup import candidates, decode_id, encode_id, is_id
from syncer.core.schedule import interval

# All of `st.text()`, whose tables take hypothesis two seconds to make in a fresh checkout.
ABOVE_SURROGATES = st.integers(0xE000, 0x10FFFF).map(chr)
SIGNS = st.sampled_from('"\\/ .5aZ\n\0\x7fé…') | st.integers(0, 0xD7FF).map(chr) | ABOVE_SURROGATES


@given(st.integers() | st.lists(SIGNS).map("".join))
def test_remote_ids_survive_their_text(remote_id):
    assert decode_id(encode_id(remote_id)) == remote_id


def test_a_number_and_its_text_are_two_ids():
    assert encode_id(5) != encode_id("5")


IDS = [5, 0, -1, "5", "a b", "…", "x" * 254]


@pytest.mark.parametrize("remote_id", IDS, ids=range(len(IDS)))
def test_a_number_or_a_text_is_an_id(remote_id):
    assert is_id(remote_id)


NO_IDS = ["", ".", "..", "\ud800", "x" * 255, 10**256, None, True, 1.5, [1]]


@pytest.mark.parametrize("remote_id", NO_IDS, ids=range(len(NO_IDS)))
def test_what_no_binding_or_address_can_hold_is_no_id(remote_id):
    assert not is_id(remote_id)


BODY = {"title": "A", "userId": 1}


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ({"id": 1, "title": "A", "userId": 1}, ["1"]),
        ({"id": "x", "title": "A", "userId": 1, "more": True}, ['"x"']),
        ({"id": 1, "title": "B", "userId": 1}, []),
        ({"id": 1, "title": "A", "userId": "1"}, []),
        ({"id": 1, "title": "A"}, []),
        ({"title": "A", "userId": 1}, []),
        ({"id": None, "title": "A", "userId": 1}, []),
        ("A", []),
        (None, []),
    ],
)
def test_every_field_of_a_candidate_is_compared(record, found):
    assert candidates([record], BODY, id_field="id", bound=()) == found


def test_a_bound_record_is_no_candidate():
    records = [BODY | {"id": 1}, BODY | {"id": 2}]
    assert candidates(records, BODY, id_field="id", bound={"1"}) == ["2"]


@pytest.mark.parametrize(
    ("trigger", "seconds"),
    [
        ("change", None),
        ("manual", None),
        ("every minute", 60),
        ("every 1 second", 1),
        ("every 5 minutes", 300),
        ("every 2 hours", 7200),
        ("every 7 days", 604800),
    ],
)
def test_the_words_of_a_trigger(trigger, seconds):
    assert interval(trigger) == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "trigger", ["", "every", "every 0 minutes", "every -1 minutes", "5 minutes", "Change", "every 5 weeks"]
)
def test_other_words_are_no_trigger(trigger):
    with pytest.raises(ValueError, match="is not a trigger"):
        interval(trigger)
