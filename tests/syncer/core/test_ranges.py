"""Two nodes' objects are compared by digests of ranges, both played in memory."""

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.core import ranges
from syncer.core.ranges import WHOLE, Leaf, Range, Search, Summing, cut, digest_of


def part_of(node, part):
    return {
        key: digest
        for key, digest in sorted(node.items())
        if (part.first is None or key >= part.first) and (part.end is None or key < part.end)
    }


def summary(node, part, most=math.inf):
    summing = Summing()
    for key, digest in part_of(node, part).items():
        if summing.count >= most:
            return summing.summary(covered_to=key)
        summing.add(key, f"{key} {digest}".encode())  # as `digest_of` has it
    return summing.summary()


def compare(ours, theirs, most=math.inf, steps=10_000):
    """The differences, and with how many questions; the other node sums up `most` objects of a range at a time."""
    search = Search()
    for asked in range(steps):
        if search.is_over:
            return search.end(), asked
        if leaves := search.take_leaves():
            for leaf in leaves:
                search.listed(part_of(ours, leaf.part).items(), part_of(theirs, leaf.part))
            continue
        rest = []
        for part in search.take_ranges():
            answer = summary(theirs, part, most)
            done = part if answer.covered_to is None else Range(part.first, answer.covered_to)
            if answer.covered_to is not None:
                rest.append(Range(answer.covered_to, part.end))
            search.summed(done, summary(ours, done), answer)
        search.put_back(ranges=rest)
    return search.end(), steps


def key(number):
    return f"{number:032x}"


def node(numbers):
    return {key(number): "same" for number in numbers}


RANDOM = Random(3)
HEAPS = [*range(5000), *range(2**100, 2**100 + 5000)]
SPREADS = {
    "sequential": range(10_000),
    "at random": sorted({RANDOM.getrandbits(120) for _ in range(10_000)}),
    "in two heaps": HEAPS,
}
NODES = st.dictionaries(st.integers(0, 400).map(key), st.sampled_from(["a", "b"]), max_size=300)


@given(NODES, NODES, st.sampled_from([3, 50, math.inf]))
def test_all_that_differs_is_found_and_nothing_else(ours, theirs, most):
    differences, _ = compare(ours, theirs, most)
    both = {*ours} & {*theirs}
    assert sorted(differences.differing) == sorted(name for name in both if ours[name] != theirs[name])
    assert sorted(differences.only_here) == sorted({*ours} - {*theirs})
    assert sorted(differences.only_there) == sorted({*theirs} - {*ours})
    assert differences.equal == len(both) - len(differences.differing)
    assert (differences.more_here, differences.more_there, differences.unread, differences.unasked) == (0, 0, 0, 0)
    assert differences.is_equal == (ours == theirs)


@pytest.mark.parametrize("spread", SPREADS)
def test_equal_nodes_need_one_question(spread):
    differences, asked = compare(node(SPREADS[spread]), node(SPREADS[spread]))
    assert (differences.is_equal, differences.equal, asked) == (True, 10_000, 1)


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("place", [0, 4999, 9999])
def test_one_different_object_needs_logarithmically_many_questions(spread, place):
    ours, theirs = node(SPREADS[spread]), node(SPREADS[spread])
    theirs[key(SPREADS[spread][place])] = "other"
    differences, asked = compare(ours, theirs)
    assert differences.differing == [key(SPREADS[spread][place])]
    assert asked <= 4  # 10,000 · 625 · 40, and its objects


def test_of_very_much_that_differs_the_first_is_named():
    ours, theirs = node(range(5000)), dict.fromkeys(node(range(5000)), "other")
    differences, asked = compare(ours, theirs)
    assert len(differences.differing) == ranges.LISTED
    assert differences.unread > 0
    assert differences.unasked > 0
    assert not differences.is_equal
    assert asked < 30


def test_of_a_leaf_that_has_no_room_the_rest_is_counted():
    search = Search()
    search.listed(node(range(2000)).items(), {})
    search.listed(node(range(3000, 3010)).items(), dict.fromkeys(node(range(3000, 3020)), "other"))
    end = search.end()
    assert (len(end.only_here), end.more_here, end.unread, end.more_there) == (1000, 1000, 10, 10)


def test_ranges_that_were_left_are_counted():
    search = Search()
    search.take_ranges()
    search.put_back(leaves=[Leaf(WHOLE, 0, 5), Leaf(WHOLE, 7, 0), Leaf(WHOLE, 3, 90)], ranges=[WHOLE])
    differences = search.end()
    assert (differences.more_there, differences.more_here, differences.unread, differences.unasked) == (5, 7, 90, 1)
    assert not differences.is_equal


@given(st.integers(2, 2000))
def test_a_range_is_cut_into_parts_that_are_each_smaller(number):
    whole = node(range(number))
    parts = list(cut(WHOLE, summary(whole, WHOLE).cuts))
    counts = [len(part_of(whole, part)) for part in parts]
    assert 1 < len(parts) <= ranges.PARTS
    assert sum(counts) == number
    assert min(counts) > 0
    assert max(counts) <= math.ceil(number / 16 * 2.2) + 1


def test_what_is_kept_of_a_range_does_not_grow_with_it():
    assert len(summary(node(range(100_000)), WHOLE).cuts) <= ranges.KEPT


def test_digests_depend_on_key_and_content_but_not_on_the_order_of_fields():
    one = digest_of("1", {"a": 1, "b": [1.5, None, "…"]})
    assert one == digest_of("1", {"b": [1.5, None, "…"], "a": 1})
    assert one != digest_of("2", {"a": 1, "b": [1.5, None, "…"]})
    assert one != digest_of("1", {"a": "1", "b": [1.5, None, "…"]})
    assert len(one) == 16
