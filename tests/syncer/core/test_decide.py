import pytest

from syncer.core.decide import Action, Known, changes, decide

HAVE = {"title": "A"}
NO_RECORD = Known()
RECORD = Known(remote_id="1", agreed=HAVE)
UNCONFIRMED = Known(remote_id="1", agreed=HAVE, unconfirmed=True)
NOT_KNOWN = Known(remote_id="1")
UNANSWERED = Known(create_body=HAVE, unconfirmed=True)
HIDDEN = Known(look_first=True)


@pytest.mark.parametrize(
    ("known", "payload", "action"),
    [
        pytest.param(NO_RECORD, HAVE, Action.CREATE, id="no record, object exists"),
        pytest.param(NO_RECORD, None, Action.NOTHING, id="no record, no object: created and deleted is nothing"),
        pytest.param(RECORD, {"title": "B"}, Action.UPDATE, id="record differs"),
        pytest.param(RECORD, HAVE, Action.NOTHING, id="record equals: changed and changed back is nothing"),
        pytest.param(UNCONFIRMED, HAVE, Action.UPDATE, id="record would equal, but an update is unanswered"),
        pytest.param(NOT_KNOWN, HAVE, Action.UPDATE, id="what the record holds is not known"),
        pytest.param(RECORD, None, Action.DELETE, id="record, no object"),
        pytest.param(UNCONFIRMED, None, Action.DELETE, id="unconfirmed record, no object"),
        pytest.param(UNANSWERED, HAVE, Action.LOOKUP, id="a create is unanswered"),
        pytest.param(UNANSWERED, None, Action.LOOKUP, id="a create is unanswered, and the object is gone"),
        pytest.param(HIDDEN, HAVE, Action.LOOKUP, id="a record may exist that is not known here"),
        pytest.param(HIDDEN, None, Action.NOTHING, id="a record may exist that is not known here, and no object"),
    ],
)
def test_the_table_of_decisions(known, payload, action):
    assert decide(known, payload, can_look_up=True) is action


@pytest.mark.parametrize("known", [UNANSWERED, HIDDEN])
def test_what_can_not_be_looked_up_is_in_doubt(known):
    assert decide(known, HAVE, can_look_up=False) is Action.DOUBT


@pytest.mark.parametrize("payload", [HAVE, None])
def test_an_unanswered_create_is_sent_again_where_the_target_remembers_its_key(payload):
    assert decide(UNANSWERED, payload, can_look_up=True, can_replay=True) is Action.REPLAY


@pytest.mark.parametrize(
    ("agreed", "payload", "differs"),
    [
        (None, {"a": 1, "b": 2}, {"a": 1, "b": 2}),
        ({"a": 1, "b": 1}, {"a": 1, "b": 2}, {"b": 2}),
        ({"a": 1}, {"a": 1, "b": None}, {"b": None}),
        ({"a": 1, "gone": 1}, {"a": 1}, {}),
    ],
)
def test_what_differs_is_sent(agreed, payload, differs):
    assert changes(agreed, payload) == differs
