import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.core.ids import decode_id, encode_id, id_text, is_id, readable_id, spellings

# All of `st.text()`, whose tables take hypothesis two seconds to make in a fresh checkout.
ABOVE_SURROGATES = st.integers(0xE000, 0x10FFFF).map(chr)
SIGNS = st.sampled_from('"\\/ .5aZ\n\0\x7fé…') | st.integers(0, 0xD7FF).map(chr) | ABOVE_SURROGATES


@given(st.integers() | st.lists(SIGNS).map("".join))
def test_remote_ids_survive_their_text(remote_id):
    assert decode_id(encode_id(remote_id)) == remote_id


def test_a_number_and_its_text_are_kept_apart_and_name_one_record():
    assert encode_id(5) != encode_id("5")
    assert set(spellings(encode_id(5))) == set(spellings(encode_id("5"))) == {"5", '"5"'}
    assert id_text("5") == id_text('"5"')


@pytest.mark.parametrize("text", ["05", "5.0", "a", "-0", " 5"])
def test_other_texts_have_one_spelling(text):
    assert spellings(encode_id(text)) == (encode_id(text),)


IDS = [5, 0, -1, "5", "a b", "…", "x" * 254]


@pytest.mark.parametrize("remote_id", IDS, ids=range(len(IDS)))
def test_a_number_or_a_text_is_an_id(remote_id):
    assert is_id(remote_id)


NO_IDS = ["", ".", "..", "\ud800", "x" * 255, 10**256, None, True, 1.5, [1]]


@pytest.mark.parametrize("remote_id", NO_IDS, ids=range(len(NO_IDS)))
def test_what_no_binding_or_address_can_hold_is_not_an_id(remote_id):
    assert not is_id(remote_id)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (5, "5"),
        ("5", '"5"'),
        (5.0, "5"),
        (-0.0, "0"),
        (5.5, None),
        (2.0**53, None),
        (True, None),
        (None, None),
        ("", None),
    ],
)
def test_an_id_is_read_from_a_value(value, encoded):
    assert readable_id(value) == encoded
