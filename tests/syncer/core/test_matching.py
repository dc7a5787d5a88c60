"""What two nodes that both have data make of each other's objects."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from syncer.core.matching import SHOWN, Ambiguous, Line, match

NAMES = ["".join(signs) for length in (1, 2, 3) for signs in product("abc", repeat=length)]
KEYS = st.dictionaries(st.sampled_from(NAMES), st.sampled_from("xy"), max_size=30)


def lines(*rows):
    return [Line(*row) for row in rows]


@given(KEYS, KEYS)
def test_all_objects_are_counted_once(ours, theirs):
    matching = match(lines(*sorted(ours.items())), lines(*sorted(theirs.items())))
    both = {*ours} & {*theirs}
    differing = sorted(key for key in both if ours[key] != theirs[key])
    assert (matching.equal, matching.differ) == (len(both) - len(differing), len(differing))
    assert (matching.only_here, matching.only_there) == (len({*ours} - both), len({*theirs} - both))
    assert matching.differing == differing[:SHOWN]
    assert (matching.pairs, matching.ambiguous) == ({}, [])


def test_objects_with_one_natural_key_are_a_pair():
    matching = match(lines(("1", "x", "Lamp"), ("2", "x", "Shelf")), lines(("3", "y", "Lamp"), ("4", "x", "Hook")))
    assert matching.pairs == {"1": "3"}
    assert (matching.only_here, matching.only_there) == (2, 2)


def test_objects_without_a_natural_key_are_no_pair():
    assert match(lines(("1", "x")), lines(("3", "x"))).pairs == {}


def test_a_natural_key_that_is_there_twice_matches_nothing():
    matching = match(lines(("1", "x", "Lamp"), ("2", "x", "Lamp")), lines(("3", "y", "Lamp")))
    assert matching.pairs == {}
    assert matching.ambiguous == [Ambiguous("Lamp", ("1", "2"), ("3",))]
    matching = match(lines(("1", "x", "Lamp")), lines(("3", "y", "Lamp"), ("4", "y", "Lamp")))
    assert matching.ambiguous == [Ambiguous("Lamp", ("1",), ("3", "4"))]


def test_a_natural_key_that_objects_of_one_key_have_too_matches_nothing():
    matching = match(lines(("1", "x", "Lamp"), ("2", "x", "Lamp")), lines(("1", "x", "Lamp"), ("3", "y", "Lamp")))
    assert matching.pairs == {}
    assert matching.ambiguous == [Ambiguous("Lamp", ("2",), ("3",))]


def test_of_many_that_differ_the_first_are_named():
    matching = match(lines(*((f"{n:02}", "x") for n in range(30))), lines(*((f"{n:02}", "y") for n in range(30))))
    assert (matching.differ, matching.differing) == (30, [f"{n:02}" for n in range(SHOWN)])
