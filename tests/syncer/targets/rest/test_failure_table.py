"""Every row of docs/architecture.md, "Failure", with every kind of request, against a server that really does it.

A row names the fault and what it means for a create, an update, a delete and a look-up. `AFTER` says, by meaning, what
the binding and the target look like then. At the end the fault is over, and the remote holds one right record or none.
"""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import formatdate
from itertools import cycle, groupby
from typing import Any

import pytest

from backoffice.kit import clock
from content.news.models import Post
from syncer.core.outcome import REFUSED, Outcome
from syncer.engine.runs import run_here
from syncer.models import Attempt, Binding, Run, backlog
from tests.remote import Fault
from tests.syncer.conftest import sync
from tests.syncer.support import binding_of, let_time_pass, requests

pytestmark = pytest.mark.django_db(transaction=True)
DONE, MADE, GONE, LATER, UNKNOWN, REJECTED, FORBIDDEN, BLOCKED = (
    Outcome.DONE,
    Outcome.MADE,
    Outcome.GONE,
    Outcome.RETRYABLE,
    Outcome.UNKNOWN,
    Outcome.PERMANENT,
    Outcome.FORBIDDEN,
    Outcome.CONFIGURATION,
)
WELL = (DONE, MADE, GONE)
METHODS = {"create": "POST", "update": "PUT", "delete": "DELETE", "lookup": "GET"}
WAIT = 120  # seconds


@dataclass(frozen=True)
class Row:
    """A fault, and what it means: for a write, and for those that differ. None: it can't happen to that one.

    Attributes:
        fault: of `remote.fault`; empty: the server is down.
        also: what the fault is instead for one kind of request.
        waits: the target asks us to wait: for `WAIT` seconds, or (0) without saying how long.
        may_pass: a refusal of one object that is tried again.
    """

    name: str
    fault: dict[str, Any]
    means: Outcome
    create: Outcome | None = None
    update: Outcome | None = None
    delete: Outcome | None = None
    lookup: Outcome | None = None
    also: dict[str, dict[str, Any]] = field(default_factory=dict)
    waits: int | None = None
    may_pass: bool = False

    def meaning(self, action: str) -> Outcome:
        return getattr(self, action) or self.means


def status_(code: int, **more: Any) -> dict[str, Any]:
    return {"kind": Fault.STATUS, "status": code, **more}


LOST: dict[str, Any] = {"means": UNKNOWN, "lookup": LATER}
NO_SUCH: dict[str, Any] = {"means": REJECTED, "update": GONE, "delete": GONE, "lookup": DONE}  # by the whole list
UNREADABLE: dict[str, Any] = {"means": DONE, "create": MADE, "lookup": LATER}
DATE = object()  # `Retry-After` as an HTTP date
TABLE = [
    Row("refused", {}, LATER),
    Row("reset before it was read", {"kind": Fault.RESET}, **LOST),
    Row("reset after it was processed", {"kind": Fault.RESET, "act": True}, **LOST),
    Row("hangs, not processed", {"kind": Fault.HANG}, **LOST),
    Row("hangs, processed", {"kind": Fault.HANG, "act": True}, **LOST),
    Row("hangs, processed late", {"kind": Fault.HOLD, "act": False}, **LOST),
    Row("slow body", {"kind": Fault.SLOW, "seconds": 30}, **LOST),
    Row("truncated JSON", {"kind": Fault.TRUNCATED}, **UNREADABLE),
    Row("cut body", {"kind": Fault.CUT}, **LOST),
    Row("HTML, not processed", {"kind": Fault.HTML, "act": False}, **UNREADABLE),
    Row("HTML, processed", {"kind": Fault.HTML, "act": True}, **UNREADABLE),
    Row("200, empty", {"kind": Fault.EMPTY}, **UNREADABLE),
    Row("204", {"kind": Fault.EMPTY, "status": 204}, **{**UNREADABLE, "lookup": DONE}),
    Row("without an id", {"kind": Fault.NO_ID}, DONE, create=MADE),
    Row("302", {"kind": Fault.REDIRECT, "status": 302}, FORBIDDEN, create=UNKNOWN, lookup=BLOCKED, may_pass=True),
    Row("308", {"kind": Fault.REDIRECT, "status": 308}, FORBIDDEN, lookup=BLOCKED, may_pass=True),
    Row("400", status_(400), REJECTED, lookup=DONE),
    Row("401", status_(401), FORBIDDEN, lookup=BLOCKED, may_pass=True),
    Row("403", status_(403), FORBIDDEN, lookup=DONE),
    *(
        Row(
            str(code),
            status_(code),
            **NO_SUCH,
            also={"update": {"kind": Fault.LOSE, "status": code}, "delete": status_(code, act=True)},
        )
        for code in (404, 410)
    ),
    Row("408", status_(408), LATER),
    Row("409", status_(409), REJECTED, lookup=DONE),
    Row("422", status_(422), REJECTED, lookup=DONE),
    Row("425", status_(425), LATER),
    Row("429", status_(429), LATER, waits=0),
    Row("429, seconds", status_(429, retry_after=WAIT), LATER, waits=WAIT),
    Row("429, date", status_(429, retry_after=DATE), LATER, waits=WAIT),
    Row("500, not processed", status_(500), **LOST),
    Row("500, processed", status_(500, act=True), **LOST),
    Row("502", status_(502), **LOST),
    Row("503", status_(503), **LOST),
    Row("503, seconds", status_(503, retry_after=WAIT, act=True), **LOST, waits=WAIT),
    Row("503, date", status_(503, retry_after=DATE), **LOST, waits=WAIT),
]
SLOW = {row.name for row in TABLE if row.fault.get("kind") in (Fault.HANG, Fault.HOLD, Fault.SLOW)}
# A list has no id of its own; that a look-up changes nothing, one row of those that take a second is enough to show.
# An answer of 200 to what was not processed is a lie: only a route that says what success is can notice it.
LIES = {("HTML, not processed", action) for action in ("create", "update", "delete")}
NOT_ASKED = {
    ("without an id", "lookup"),
    *LIES,
    *((name, "lookup") for name in SLOW - {"hangs, not processed", "slow body"}),
}
QUICK = ("hangs, processed", "create")  # one of those that wait for a time-out is enough before a commit
CASES = [
    pytest.param(
        row,
        action,
        id=f"{row.name}-{action}",
        marks=[
            pytest.mark.quick(database),
            *([pytest.mark.slow] if row.name in SLOW and (row.name, action) != QUICK else []),
        ],
    )
    for row, database in zip(TABLE, cycle(("sqlite", "postgres")), strict=False)
    for action in METHODS
    if (row.name, action) not in NOT_ASKED
]


def prepare(action: str, target: Any, remote: Any) -> Post:
    """One post that the next sync will create, update, delete or look up."""
    post = Post.objects.create(title="A", body="B")
    if action == "lookup":
        remote.fault(Fault.RESET, method="POST", act=True)
    if action != "create":
        sync(target)
    if action == "update":
        Post.objects.filter(pk=post.pk).update(title="C")
    if action == "delete":
        Post.objects.filter(pk=post.pk).delete()
    let_time_pass()
    remote.clear_journal()
    return post


def break_it(row: Row, action: str, remote: Any) -> Any:
    """Let the next such request go wrong."""
    fault = dict(row.also.get(action, row.fault))
    if not fault:
        remote.stop()
        return None
    if fault.get("retry_after") is DATE:
        fault["retry_after"] = formatdate(time.time() + WAIT, usegmt=True)
    return remote.fault(method=METHODS[action], **fault)


@pytest.mark.parametrize(("row", "action"), CASES)
def test_what_a_fault_means_and_that_all_is_right_when_it_is_over(target, remote, row, action):
    if row.name in SLOW:
        type(target).objects.update(timeout=1)
    post, means = prepare(action, target, remote), row.meaning(action)
    before = Binding(tries=0, unconfirmed=False) if action == "create" else binding_of(post)
    target.refresh_from_db()
    failures = target.failures
    break_it(row, action, remote)
    began = clock.now()
    run = sync(target)
    after = binding_of(post)
    target.refresh_from_db()

    # What it means, and what the binding and the target remember of it.
    assert first_meaning(run) == means
    assert run.state == ("done" if means in WELL else "failed")
    is_tried_again = row.may_pass and means is FORBIDDEN
    check_binding(LATER if is_tried_again else means, before, after, target, began)
    check_target(means, row, target, began)
    is_failure = means in (LATER, UNKNOWN) and not row.name.startswith("429")
    assert target.failures == (0 if means in (*WELL, *REFUSED) else failures + is_failure)
    if means is UNKNOWN:
        asked = len(requests(remote))
        assert sync(target).state == "failed", "not before a straggler has landed or died"
        assert len(requests(remote)) == asked

    # The fault is over; what was stopped on its way lands now.
    if row.fault:
        remote.heal()
    else:
        remote.start()
    if row.name == "hangs, processed late":
        remote.wait_for(lambda: any(entry.applied for entry in remote.journal))
    let_time_pass()
    assert (
        run_here(target, scope=backlog.failed(target) if means in REFUSED and not is_tried_again else None).state
        == "done"
    )
    check_remote(row, action, means, remote)


def first_meaning(run: Run) -> str:
    """What the first delivery's last request meant: a lookup may ask for the whole list where a filter is refused."""
    tried = Attempt.objects.filter(run=run).exclude(action=Attempt.Action.EVIDENCE).order_by("pk")
    first, *_ = (list(attempts) for _, attempts in groupby(tried, key=lambda attempt: attempt.action))
    return first[-1].outcome


def check_binding(means: Outcome, before: Binding, after: Binding, target: Any, began: datetime) -> None:
    was = before.unconfirmed
    has_create = (after.create_key is not None, after.create_body is not None)
    match means:
        case Outcome.DONE | Outcome.MADE | Outcome.GONE:
            assert (after.delivered, after.unconfirmed, after.tries, after.reason) == (after.wanted, False, 0, "")
        case Outcome.RETRYABLE:
            assert (after.unconfirmed, after.tries, after.rejected) == (was, before.tries + 1, None)
            assert after.not_before is not None
            assert after.not_before > began
            assert has_create == (was, was)
        case Outcome.UNKNOWN:
            assert (after.unconfirmed, after.tries, after.rejected) == (True, before.tries + 1, None)
            request_seconds = 2 * target.timeout
            assert after.not_before is not None
            assert after.not_before > began + timedelta(seconds=request_seconds)
            assert has_create == (after.remote_id is None,) * 2
        case Outcome.PERMANENT | Outcome.FORBIDDEN:
            assert (after.unconfirmed, after.rejected) == (was, after.wanted)
            assert has_create == (was, was)
        case Outcome.CONFIGURATION:
            assert (after.unconfirmed, after.tries, after.rejected) == (was, before.tries, None)
            assert has_create == (was, was)
    assert after.lease_until is None
    assert after.in_doubt is False


def check_target(means: Outcome, row: Row, target: Any, began: datetime) -> None:
    assert bool(target.blocked) == (means is BLOCKED)
    assert target.opened_at is None
    if row.waits is None:
        assert target.not_before is None
    else:
        least, most = (row.waits - 20, row.waits) if row.waits else (0, 2)
        assert began + timedelta(seconds=least) < target.not_before <= clock.now() + timedelta(seconds=most)


def check_remote(row: Row, action: str, means: Outcome, remote: Any) -> None:
    held = [record["title"] for record in remote.posts.values()]
    assert held == {"create": ["A"], "update": ["C"], "delete": [], "lookup": ["A"]}[action]
    made = [entry for entry in remote.writes() if entry.method == "POST" and entry.applied]
    assert len(made) == {"create": 1, "update": int(means is GONE), "delete": 0, "lookup": 0}[action]
    if action in ("update", "delete"):
        sent = [entry for entry in remote.writes() if entry.method == METHODS[action]]
        assert len(sent) == (1 if means in WELL or not row.fault else 2)


# --- what the table does not say -------------------------------------------------------------------------------------
@pytest.mark.parametrize("status_code", [404, 410])
def test_a_record_that_is_gone_is_parked_where_the_route_says_so(target, synced, remote, status_code):
    target.routes.update(missing="reject")
    Post.objects.filter(pk=synced.pk).update(title="C")
    remote.fault(Fault.LOSE, method="PUT", status=status_code)
    assert sync(target).message == "Not delivered: 1 rejected."
    assert (binding_of(synced).remote_id, binding_of(synced).unconfirmed) == ("1", False)
    assert f"answered {status_code}" in binding_of(synced).reason
    assert remote.posts == {}
    target.routes.update(missing="recreate")
    assert run_here(target, scope=backlog.failed(target)).state == "done"
    assert [record["title"] for record in remote.posts.values()] == ["C"]


@pytest.mark.parametrize("missing", ["reject", "recreate"])
def test_what_we_deleted_ourselves_is_created_again_whatever_the_route_says(target, synced, remote, missing):
    target.routes.update(missing=missing)
    Post.objects.filter(pk=synced.pk).delete()
    remote.fault(Fault.RESET, method="DELETE", act=True)
    sync(target)
    Post.objects.create(pk=synced.pk, title="back", body="B")
    let_time_pass()
    assert sync(target).state == "done"
    evidence = [("GET", "/posts"), ("GET", "/posts/1")]
    again = [("GET", "/posts"), ("GET", "/posts"), ("POST", "/posts")]  # filtered, whole, and it is not there
    assert requests(remote) == [("DELETE", "/posts/1"), ("PUT", "/posts/1"), *evidence, *again]
    assert {key: record["title"] for key, record in remote.posts.items()} == {2: "back"}
