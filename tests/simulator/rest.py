"""The end of an example: everything is tried until nothing is due, and then both sides are compared."""

from datetime import timedelta

from syncer.core.decide import Action, Payload
from syncer.core.ids import decode_id
from syncer.core.settle import NEVER_LISTED, decided
from syncer.core.state import question_of
from tests.simulator.local import COMMENTS, MODELS, POSTS, WALL, model_of, reached
from tests.simulator.remote import REQUEST_SECONDS, Fate, as_id
from tests.simulator.rows import MOMENT, STEPS, Row, Rows
from tests.simulator.worker import Worker

ROUNDS = 60  # at most, of planning and delivering until nothing is due
PASSES = 50  # at most, of one run
BATCH = 100
DAY = 24 * 3600.0  # seconds
REST = timedelta(hours=6)  # at most, of a target that is well: parents and children with the longest backoff


def sync(rows: Rows, worker: Worker, fates: list[Fate], *, at_last: bool = False, jitter: float = 0.0) -> bool:
    """Plan, then claim and deliver step by step while a pass finds anything (`runs.work`); return whether any did.

    Args:
        fates: the fates of the first requests; the others arrive.
        at_last: whether late requests arrive at the last moment.
        jitter: scales the waits after failures.
    """
    for model in MODELS:
        rows.plan(model)
    worker.begin()
    run = _Run(rows, worker, fates[::-1], at_last=at_last, jitter=jitter)
    for passes in range(PASSES):
        if not run.deliver_all():
            return passes > 0
    raise AssertionError("a run never ends")


class _Run:
    """One run of one worker, with the fates of its next requests."""

    def __init__(self, rows: Rows, worker: Worker, fates: list[Fate], *, at_last: bool, jitter: float) -> None:
        self.rows, self.worker, self.fates, self.at_last, self.jitter = rows, worker, fates, at_last, jitter

    def deliver_all(self) -> bool:
        """Deliver every step, then what was refused (`dispatch._deliver_all`)."""
        moved = [self._deliver(model, how) for model, how in STEPS]
        if self.worker.is_stopped or not self.rows.may_send:
            return False
        if any(moved):
            return True
        if self.rows.try_refused():
            reached["refused objects are tried again"] += 1
            return True
        return False

    def _deliver(self, model: str, how: str) -> bool:
        """Claim and deliver batch by batch (`dispatch._claims`); return whether anything was done."""
        moved = False
        for _ in range(PASSES):
            self.rows.wait(MOMENT)
            self.worker.claim(model, BATCH, how)
            if self.worker.is_idle:
                return moved
            self.worker.look()
            is_all_waiting = all(sending.delivery.action is Action.WAIT for sending in self.worker.deliveries)
            while not self.worker.is_idle:
                fate = self.fates.pop() if self.worker.unsent and self.fates else Fate.ARRIVES
                self.worker.step(model, BATCH, fate, self.jitter)
                if self.worker.is_waiting:
                    self.rows.wait(REQUEST_SECONDS / 2, at_last=self.at_last)
            if is_all_waiting:
                return moved
            moved = True
        raise AssertionError("a pass never ends")


def come_to_rest(rows: Rows) -> None:
    """Deliver all that is due with one worker and a healthy target, however long it takes."""
    rows.blocked, rows.remote.gateway, latest = False, None, rows.now + REST
    for _ in range(ROUNDS):
        if sync(rows, Worker(rows), [], jitter=1.0):
            continue
        if rows.blocked:
            lift_firewall(rows)
            continue
        left = [row for key, row in rows.rows.items() if rows.facts(key).due and not rows.is_blocked(key)]
        times = [time for row in left for time in (row.not_before, row.lease_until)]
        later = [time for time in [*times, rows.not_before] if time is not None and time > rows.now]
        if not later:
            is_over = not sync(rows, Worker(rows), [], jitter=1.0)  # some time has passed since that
            if is_over and not rows.blocked:
                return
            continue
        rows.wait((min(later) - rows.now).total_seconds())
        assert rows.now < latest, "it takes longer than all waits together"
    raise AssertionError("it does not come to rest")


def lift_firewall(rows: Rows) -> None:
    """Let a person correct the target's settings, if they are what it was blocked for."""
    disliked = [key for key, row in rows.rows.items() if WALL in _texts(rows, key, row)]
    assert rows.remote.dialect.has_firewall, "a healthy target is blocked"
    assert len(disliked) > 1, f"the target is blocked, and the firewall dislikes {disliked}"
    reached["the firewall is lifted"] += 1
    object.__setattr__(rows.remote.dialect, "has_firewall", False)
    rows.blocked = False


def _texts(rows: Rows, key: str, row: Row) -> list[object]:
    bodies: list[Payload | None] = [row.create_body, rows.local.live.get(key)]
    return [value for body in bodies if body for value in body.values()]


def check_rest(rows: Rows) -> None:
    """Laws 1, 2, 6 and 7: what the target holds is what we hold, but for what is aside, and that is named."""
    for key, row in rows.rows.items():
        if rows.facts(key).due:
            assert _is_named(rows, key, row), f"{key} is due, and nothing says why it waits: {row}"
        else:
            _check_equal(rows, key, row)
    assert rows.rows.keys() >= set(rows.local.history), "an object was never planned"
    sent = rows.remote.requests
    rows.wait(DAY)
    for _ in range(2):
        sync(rows, Worker(rows), [])
    assert rows.remote.requests == sent, "something was sent though nothing had changed"
    reached["at rest"] += 1


def _is_named(rows: Rows, key: str, row: Row) -> bool:
    """Return whether an object is blocked for a reason that is known, or waits for such an object."""
    if row.on_hold:
        return True
    if row.in_doubt:
        reasons = ("possible matches", "fits the lookup and differs", NEVER_LISTED)
        return not rows.can_look_up or any(reason in row.reason for reason in reasons)
    if rows.is_blocked(key):
        rows.check_what_is_in_the_way(key)
        return key in rows.remote.blamed and row.reason != ""
    if not rows.waits(key):
        return False
    reached["waits for another at rest"] += 1
    if model_of(key) == COMMENTS:
        parent = str(rows.local.live[key]["post"])
        return rows.facts(parent).due and _is_named(rows, parent, rows.rows[parent])
    return all(rows.facts(child).due and _is_named(rows, child, rows.rows[child]) for child in rows.hanging(key))


def _check_equal(rows: Rows, key: str, row: Row) -> None:
    """Check that the target holds what is here, or the last that it could be sent, as it keeps it."""
    model, there = model_of(key), rows.remote.of(key, model_of(key))
    target = rows.wanted(key)
    wanted = None if target is None else target.payload
    if wanted is not None and target is not None and target.waits:  # its parent is blocked, and keeps its remote id
        above = rows.rows[str(rows.local.live[key]["post"])]
        if above.remote_id is None:
            return
        wanted["post"] = decode_id(above.remote_id)
    assert not row.unconfirmed, f"{key} is at rest and unconfirmed"
    if wanted is None:
        assert row.remote_id is None, f"{key} should not be at the target"
        assert there == [], f"{key} is at the target though it should not be"
        return
    assert row.remote_id is not None, f"{key} should be at the target"
    number = as_id(row.remote_id)
    if (model, number) in rows.remote.vanished:  # not known here until the next edit
        return
    assert there == [number], f"{key} is bound to {number}, and its record is {there}"
    if (model, number) not in rows.remote.touched:
        kept = rows.remote.dialect.kept(wanted)
        assert rows.remote.records[model][number].fields == kept, f"{key} differs from its record"


def put_right(rows: Rows) -> bool:
    """Resolve every blocked object as a person would; return whether there were any."""
    blocked = [key for key in rows.rows if rows.is_blocked(key)]
    edited: set[str] = set()
    rows.patience = 1.0  # what the target accepts from now on, it makes
    for key in blocked:
        rows.rows[key].on_hold = False
        if is_asked(rows, key):
            resolve(rows, key)
        elif key in rows.local.live:  # and its parent, whose record may be gone without being known here
            edited |= {key, str(rows.local.live[key].get("post", key))}
        else:
            rows.raise_keys([key])
    for key in sorted(edited):
        name = "title" if model_of(key) == POSTS else "name"
        rows.local.save(key, **{name: f"Fresh {len(rows.local.history)}"})
    return bool(blocked)


def is_asked(rows: Rows, key: str) -> bool:
    """Return whether a person can be asked about the object: `doubt.question`, and no worker holds it."""
    facts = rows.facts(key)
    return not facts.claimed and question_of(facts) is not None


def resolve(rows: Rows, key: str) -> None:
    """Decide as a person who looks at the target and is honest, as `doubt.decide` does.

    Whoever sees that a record of somebody else is in the way links the object to it. A record that nobody can see yet
    is waited for.
    """
    row, model = rows.rows[key], model_of(key)
    there, old = rows.remote.of(key, model), row.last_remote_id
    if rows.remote.is_pending(key, model, rows.now):
        return
    if not there and model == POSTS and rows.remote.dialect.unique and key in rows.local.live:
        there = [
            number
            for number, record in rows.remote.records[POSTS].items()
            if record.owner is None
            and record.fields["title"] == rows.remote.dialect.kept(rows.local.live[key])["title"]
        ]
    row.token, row.wanted = row.token + 1, row.wanted + 1
    for column, value in decided(str(there[0]) if there else None).items():
        setattr(row, column, value)
    if there:
        assert not rows.is_taken(key, row.remote_id)
        rows.remote.belongs_to(model, there[0], key, None)
        if old not in (None, row.remote_id) and model == POSTS:
            rows.raise_keys(rows.local.under(key))
    rows.unanswered.discard(key)
    reached[f"a person says that it {'arrived' if there else 'is not there'}"] += 1
