"""What the join promises; long because each promise is told by the smallest case that breaks it."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from syncer.core.merge import (
    ASK,
    EXISTS,
    By,
    Edit,
    Outcome,
    Rules,
    State,
    are_strangers,
    changed,
    covers,
    differing,
    edits_as_json,
    edits_from_json,
    is_open,
    join,
    newest,
    node_of,
    outcome,
    overrule,
    stamp,
    together,
    winner,
)

A, B, C = WRITERS = ("a:1", "b:1", "c:1")
OLD = {"title": "old", "count": 1}
NOBODY = Rules()

EDITS = st.fixed_dictionaries({}, optional={"title": st.sampled_from("xyz"), "count": st.integers(0, 2)})
STEPS = st.one_of(
    st.tuples(st.sampled_from(WRITERS), EDITS),
    st.tuples(st.sampled_from(WRITERS), st.none()),
    st.tuples(st.sampled_from(WRITERS), st.sampled_from(WRITERS)),
)
HISTORIES = st.lists(STEPS, max_size=12)
RULES = st.builds(
    Rules,
    authority=st.dictionaries(st.sampled_from(["title", EXISTS]), st.sampled_from(["a", "b", ASK]), max_size=2),
    ask=st.sampled_from([frozenset[str](), frozenset({"count"})]),
)


class Copy:
    """One node's copy of one object, which its editors change and which hears of others."""

    def __init__(self, me, state=State(), shadow=None, rules=NOBODY):  # noqa: B008 - it is frozen
        self.me, self.state, self.shadow, self.live, self.rules = me, state, shadow, shadow, rules

    def save(self, by=None, **values):
        self.live = {**(self.live or {}), **values}
        self.state, self.shadow = stamp(self.state, self.shadow, self.live, me=self.me, by=by), self.live
        return self

    def delete(self):
        self.live = None
        self.state, self.shadow = stamp(self.state, self.shadow, None, me=self.me), None
        return self

    def hear(self, other):
        self.state = join(self.state, other.state)
        self.live = self.shadow = outcome(self.state, self.rules, live=self.live).content
        return self


def pair(rules=NOBODY):
    """Two nodes that hold the same object and know it of each other."""
    a = Copy(A, rules=rules).save(**OLD)
    return a, Copy(B, rules=rules).hear(a)


def met(rules, edit_a, edit_b):
    """What both make of two edits that did not know of each other; the same on both sides."""
    a, b = pair(rules)
    edit_a(a)
    edit_b(b)
    before = Copy(A, a.state, a.live, rules)
    a.hear(b)
    b.hear(before)
    assert a.state == b.state
    assert outcome(a.state, rules, live=None) == outcome(b.state, rules, live=None)
    return a, b


def lived(history, rules=NOBODY):
    """Three copies after these edits, deletes and meetings."""
    copies = {writer: Copy(writer, rules=rules) for writer in WRITERS}
    for who, what in history:
        if what is None:
            copies[who].delete()
        elif isinstance(what, dict):
            made = {"title": "new", "count": 0} if copies[who].live is None else {}
            copies[who].save(**{**made, **what})
        else:
            copies[who].hear(copies[what])
    return [copies[writer] for writer in WRITERS]


# --- stamping --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shadow", "live", "names"),
    [
        (None, None, set()),
        (None, {"title": "x"}, {"title", EXISTS}),
        (None, {}, {EXISTS}),
        ({"title": "x"}, {"title": "x"}, set()),
        ({"title": "x"}, {"title": "y"}, {"title", EXISTS}),
        ({}, {"title": None}, {"title", EXISTS}),
        ({"title": "x"}, {}, set()),
        ({"title": "x"}, None, {EXISTS}),
    ],
)
def test_what_was_edited_is_what_differs_from_the_shadow(shadow, live, names):
    assert changed(shadow, live) == names


def test_what_was_not_edited_is_not_stamped():
    a, _ = pair()
    assert stamp(a.state, a.shadow, dict(a.live), me=A) is a.state
    assert stamp(State(), None, None, me=A) == State()


def test_an_edit_takes_the_next_number_and_says_that_the_object_exists():
    by = By(user="editor", reason="typing", at="2026-01-01T00:00:00Z")
    a, _ = pair()
    a.save(by={"title": by}, title="new")
    assert a.state.seen == {A: 2}
    assert a.state.fields["title"] == (Edit(writer=A, number=2, value="new"),)
    assert a.state.fields["count"] == (Edit(writer=A, number=1, value=1),)
    assert a.state.fields[EXISTS] == (Edit(writer=A, number=2, value=True),)
    assert (a.state.fields["title"][0].by, a.state.fields[EXISTS][0].by) == (by, By())


def test_a_delete_leaves_the_fields_in_the_tombstone():
    a, _ = pair()
    fields = a.state.fields
    a.delete()
    assert a.state.fields == {**fields, EXISTS: (Edit(writer=A, number=2, value=False),)}
    assert outcome(a.state, NOBODY, live=None) == Outcome(content=None)


def test_what_a_person_decides_covers_all_that_stood_and_says_that_the_object_exists():
    a, b = met(Rules(ask=frozenset({"title"})), lambda a: a.save(title="x"), lambda b: b.save(title="y"))
    a.state = overrule(a.state, {"title": "x"}, me=A)
    assert a.state.fields["title"] == (Edit(writer=A, number=3, value="x"),)
    assert a.state.fields[EXISTS] == (Edit(writer=A, number=3, value=True),)
    assert b.hear(a).live == {**OLD, "title": "x"}


def test_what_a_person_decides_about_existence_is_not_touched():
    a, _ = pair()
    assert overrule(a.state, {EXISTS: False}, me=A).fields[EXISTS][0].value is False
    assert overrule(a.state, {}, me=A) is a.state


# --- joining ---------------------------------------------------------------------------------------------------------


@given(HISTORIES)
def test_a_join_is_indifferent_to_order_grouping_and_repeats(history):
    a, b, c = (one.state for one in lived(history))
    assert join(a, b) == join(b, a)
    assert join(join(a, b), c) == join(a, join(b, c))
    assert join(a, a) == a
    assert join(join(a, b), b) == join(a, b)


@given(HISTORIES, RULES)
def test_the_outcome_is_the_same_on_either_side(history, rules):
    a, b, _ = lived(history, rules)
    mine, theirs = join(a.state, b.state), join(b.state, a.state)
    here, there = outcome(mine, rules, live=a.live), outcome(theirs, rules, live=b.live)
    assert outcome(mine, rules, live=None) == outcome(theirs, rules, live=None)
    if EXISTS in here.conflicts | there.conflicts:
        return  # each keeps what it has
    assert here.conflicts == there.conflicts
    if here.content is None or there.content is None:
        assert here.content is there.content
    else:
        assert all(here.content[name] == there.content[name] for name in here.content if name not in here.conflicts)


@given(HISTORIES, RULES)
def test_a_field_that_was_ever_set_always_has_a_value(history, rules):
    for one in lived(history, rules):
        assert one.live is None or one.live.keys() == {"title", "count"}
        assert all(one.state.fields.values())


# Whether it exists is for a person to say. Saving what is there already is no answer, an edit is one.
@example([(A, {}), (B, {}), (B, None)], Rules(authority={EXISTS: ASK}), 0, {})
@example([(A, {}), (B, {}), (B, None)], Rules(authority={EXISTS: ASK}), 0, {"count": 2})
@given(HISTORIES, RULES, st.sampled_from([0, 1, 2]), EDITS)
def test_an_edit_on_one_side_alone_always_travels(history, rules, who, values):
    copies = lived(history, rules)
    editor, other = copies[who], copies[(who + 1) % 3]
    before = editor.hear(other).live
    editor.save(**{"title": "new", "count": 0, **(before or {})})
    standing = editor.live
    editor.save(**values)
    other.hear(editor)
    waits = outcome(editor.state, rules, live=editor.live).conflicts
    edited = {name for name in values if values[name] != standing[name]}
    assert not waits & edited
    assert EXISTS not in waits or (before is not None and not edited)
    assert EXISTS in waits or other.live is not None
    assert all(other.live[name] == values[name] for name in edited)


@given(HISTORIES, RULES)
def test_a_delete_that_knew_it_all_always_travels(history, rules):
    editor, other, _ = lived(history, rules)
    editor.hear(other).save(title="new", count=0)
    assert other.hear(editor.delete()).live is None


def test_what_was_edited_on_both_sides_is_merged_by_field():
    a, b = met(Rules(authority={"title": "b"}), lambda a: a.save(title="x"), lambda b: b.save(count=2))
    assert a.live == b.live == {"title": "x", "count": 2}


def test_an_edit_that_knew_the_other_overrules_it_whoever_has_the_authority():
    a, b = pair(Rules(authority={"title": "a"}))
    b.hear(a.save(title="x")).save(title="y")
    assert a.hear(b).live == {**OLD, "title": "y"}


@pytest.mark.parametrize(
    ("authority", "value"), [({"title": "a"}, "x"), ({"title": "b"}, "y"), ({"title": "c"}, "x"), ({}, "x")]
)
def test_authority_decides_between_edits_that_did_not_know_of_each_other(authority, value):
    a, b = met(Rules(authority=authority), lambda a: a.save(title="x"), lambda b: b.save(title="y"))
    assert a.live == b.live == {**OLD, "title": value}
    assert outcome(a.state, Rules(authority=authority), live=a.live).conflicts == frozenset()


@pytest.mark.parametrize(("authority", "is_there"), [("a", False), ("b", True), ("", False)])
def test_authority_decides_between_a_delete_and_an_edit(authority, is_there):
    a, b = met(Rules(authority={EXISTS: authority}), lambda a: a.delete(), lambda b: b.save(title="y"))
    assert a.live == b.live == ({"title": "y", "count": 1} if is_there else None)


def test_a_delete_that_knew_the_edit_travels_whoever_has_the_authority():
    a, b = pair(Rules(authority={EXISTS: "b"}))
    a.hear(b.save(title="y")).delete()
    assert b.hear(a).live is None


def test_an_object_that_is_made_again_lives():
    a, b = pair()
    b.hear(a.delete()).save(title="again", count=0)
    assert a.hear(b).live == {"title": "again", "count": 0}


# --- who wins --------------------------------------------------------------------------------------------------------


def edit(writer, number=1, value="x", at=""):
    return Edit(writer=writer, number=number, value=value, by=By(at=at))


@pytest.mark.parametrize(
    ("edits", "authority", "wins"),
    [
        ([edit("a:1"), edit("b:1")], "", "a:1"),
        ([edit("a:1"), edit("b:1"), edit("c:1")], "b", "b:1"),
        ([edit("b:1"), edit("c:1")], "a", "b:1"),
        ([edit("a:1", 9), edit("a:2", 1)], "", "a:2"),
        ([edit("a:1", at="2026-01-01T00:00:00Z"), edit("b:1", at="2026-01-02T00:00:00Z")], "", "a:1"),
        ([edit("ab:1"), edit("a:2")], "", "a:2"),
    ],
)
def test_of_several_the_authority_wins_then_the_lower_name_then_the_later(edits, authority, wins):
    assert winner(tuple(edits), authority).writer == winner(tuple(edits[::-1]), authority).writer == wins


def test_of_one_writer_the_higher_number_wins():
    assert winner((edit("a:1", 9), edit("a:1", 10)), "").number == 10


# --- a person decides ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rules", [Rules(ask=frozenset({"title"})), Rules(authority={"title": ASK})])
def test_where_a_person_is_to_decide_each_side_keeps_its_own(rules):
    a, b = met(rules, lambda a: a.save(title="x"), lambda b: b.save(title="y"))
    assert (a.live["title"], b.live["title"]) == ("x", "y")
    assert [one.value for one in a.state.fields["title"]] == ["x", "y"]
    assert outcome(a.state, rules, live=a.live).conflicts == {"title"}
    assert stamp(a.state, a.shadow, a.live, me=A) is a.state, "what it keeps is no edit"


def test_whoever_has_neither_shows_the_one_that_would_win():
    rules = Rules(ask=frozenset({"title"}))
    a, _ = met(rules, lambda a: a.save(title="x"), lambda b: b.save(title="y"))
    assert outcome(a.state, rules, live={**OLD, "title": "z"}).content == {**OLD, "title": "x"}
    assert outcome(a.state, rules, live=None) == Outcome(content={**OLD, "title": "x"}, conflicts=frozenset({"title"}))


def test_equal_values_are_no_conflict():
    rules = Rules(ask=frozenset({"title"}))
    a, b = met(rules, lambda a: a.save(title="x"), lambda b: b.save(title="x"))
    assert a.live == b.live == {**OLD, "title": "x"}
    assert outcome(a.state, rules, live=a.live).conflicts == frozenset()
    assert not is_open((), ASK)
    assert not is_open((edit("a:1", value="x"), edit("b:1", value="y")), "a")


def test_a_person_may_be_asked_about_a_delete_too():
    rules = Rules(authority={EXISTS: ASK}, ask=frozenset({"title"}))
    a, b = met(rules, lambda a: a.delete(), lambda b: b.save(title="y"))
    assert (a.live, b.live) == (None, {**OLD, "title": "y"})
    assert [outcome(one.state, rules, live=one.live).conflicts for one in (a, b)] == [{EXISTS}, {EXISTS}]
    b.state = overrule(b.state, {EXISTS: True}, me=B)
    assert a.hear(b).live == {**OLD, "title": "y"}


def test_rules_name_who_decides():
    rules = Rules(authority={"title": "a", "count": "b"}, ask=frozenset({"count"}))
    assert [rules.of(name) for name in ("title", "count", EXISTS)] == ["a", ASK, ""]


# --- who knows what --------------------------------------------------------------------------------------------------


def test_whoever_has_seen_a_number_knows_all_up_to_it():
    assert covers({A: 2}, {A: 1})
    assert covers({A: 2}, {})
    assert not covers({A: 2}, {A: 3})
    assert not covers({A: 2}, {B: 1})
    assert together({A: 2, B: 1}, {A: 1, C: 4}) == {A: 2, B: 1, C: 4}
    assert State(seen={A: 2}).knows({A: 2})
    assert not State(seen={A: 2}).knows({A: 3})
    assert (node_of("store:018f"), edit("store:018f").node) == ("store", "store")


def test_states_that_share_no_edit_were_never_merged():
    assert are_strangers({A: 1}, {B: 1})
    assert not are_strangers({A: 1}, {A: 1, B: 1})
    assert not are_strangers({}, {B: 1})
    assert not are_strangers({A: 1}, {})


@given(HISTORIES)
def test_nothing_is_news_to_a_node_that_has_seen_it(history):
    a, b, _ = lived(history)
    heard = join(a.state, b.state)
    assert heard.knows(a.state.seen)
    assert heard.knows(b.state.seen)
    assert newest(b.state, heard.seen) == []


def test_what_is_news_comes_once_and_in_order():
    a, b = pair()
    known = a.state.seen
    a.hear(b.save(title="y", count=2)).save(count=3)
    assert [(one.writer, one.number) for one in newest(a.state, known)] == [(A, 2), (B, 1)]
    assert [(one.writer, one.number) for one in newest(a.state, b.state.seen)] == [(A, 2)]


# --- the first matching -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rules", [NOBODY, Rules(ask=frozenset({"title", "count", EXISTS}))])
def test_equal_contents_that_meet_first_are_no_conflict(rules):
    a, b = Copy(A, rules=rules).save(**OLD), Copy(B, rules=rules).save(**OLD)
    assert are_strangers(a.state.seen, b.state.seen)
    a.hear(b)
    b.hear(a)
    assert a.live == b.live == OLD
    assert a.state == b.state
    assert outcome(a.state, rules, live=a.live).conflicts == frozenset()


def test_what_nobody_knows_is_not_there():
    assert outcome(State(), NOBODY, live=None) == outcome(State(), NOBODY, live=OLD) == Outcome(content=None)


# --- as JSON ---------------------------------------------------------------------------------------------------------


@given(HISTORIES)
def test_states_stay_the_same_as_json(history):
    for one in lived(history):
        assert edits_from_json(edits_as_json(one.state.fields)) == one.state.fields


def test_json_names_the_author():
    by = By(user="editor", reason="typing", at="2026-01-01T00:00:00Z")
    fields = {"title": (Edit(writer=A, number=3, value=["x"], by=by),)}
    as_json = {"title": [[A, 3, ["x"], "editor", "typing", "2026-01-01T00:00:00Z"]]}
    assert edits_as_json(fields) == as_json
    assert edits_from_json(as_json)["title"][0].by == by
    assert edits_from_json({"title": [[A, 3, None]]})["title"] == (Edit(writer=A, number=3, value=None),)


@pytest.mark.parametrize(
    "wrong", [{"title": [[A]]}, {"title": 1}, {"title": [1]}, {"title": [[A, 1, 2, "", "", "", 7]]}]
)
def test_json_of_another_shape_is_refused(wrong):
    with pytest.raises((TypeError, ValueError)):
        edits_from_json(wrong)


@pytest.mark.parametrize(
    ("content", "live", "names"),
    [
        (None, None, set()),
        (None, {"a": 1}, {EXISTS}),
        ({"a": 1}, None, {EXISTS}),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, {"b"}),
        ({"a": 1, "unknown here": 2}, {"a": 1}, set()),
    ],
)
def test_the_fields_in_which_an_object_differs_from_its_edits(content, live, names):
    assert differing(content, live) == names
