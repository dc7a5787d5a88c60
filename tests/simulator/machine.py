"""The steps that Hypothesis combines, and the invariants after each of them."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.simulator.dialect import DIALECTS, Dialect
from tests.simulator.local import MODELS, POSTS, TEXTS, Local, model_of, reached
from tests.simulator.remote import KEY_HOURS, REQUEST_SECONDS, Fate, Record, Remote, as_id
from tests.simulator.rest import check_rest, come_to_rest, is_asked, put_right, resolve, sync
from tests.simulator.rows import LEASE_SECONDS, Rows
from tests.simulator.worker import Worker

WORKERS, PARENTS, CHILDREN = 3, 2, 3
ANY = st.integers(0, 11)  # an index modulo the number of choices, so that it shrinks to the first
HOW = ("save", "save", "save", "undo", "undo", "delete", "move", "show")
# One draw instead of five, because draws take most of the time of a step.
EDITS = st.sampled_from([*product(HOW, MODELS, range(PARENTS * CHILDREN), range(PARENTS), (*TEXTS[:2] * 6, *TEXTS))])
ELSEWHERE = ("remove", "touch", "add")
PEOPLE = ("resolve", "resolve", "retry", "hold", "release", "rest", "rename", *ELSEWHERE)
STRANGERS = ("a stranger's", "equal", "alike")
GATEWAY = (404, 404, 403, 405)
GATEWAY_SECONDS = 60.0
PATIENCE = (1.0, 30.0, 2000.0, 7200.0, None)  # seconds after which an accepted create is listed
FATES = st.sampled_from([*[Fate.ARRIVES] * len(Fate), *[Fate.LATE, Fate.LATE_UNSEEN, Fate.ANSWER_LOST] * 2, *Fate])
SECONDS = (
    0.0,
    1.0,
    REQUEST_SECONDS - 1,
    REQUEST_SECONDS,
    LEASE_SECONDS - REQUEST_SECONDS + 1,
    LEASE_SECONDS,
    0.95 * 3600 * KEY_HOURS,
)
TIME = st.sampled_from([*product(SECONDS, (False, True))])  # seconds, and whether overdue requests arrive after all
UNTIL_SETTLED = 5  # steps that a worker needs at most, with one request
PUT_RIGHT = 8  # rounds, at most


def chosen(choices: Any, which: int) -> Any:
    """Return one of the choices; None where there are none."""
    ordered = list(choices)
    return ordered[which % len(ordered)] if ordered else None


class Engine(RuleBasedStateMachine):
    """Editors, three workers, a remote, and the people who operate both."""

    @initialize(
        dialect=DIALECTS,
        routes=st.fixed_dictionaries(
            dict.fromkeys(("can_look_up", "recreate", "patch", "has_filter"), st.booleans())
            | {"patience": st.sampled_from(PATIENCE), "overwrite": st.sampled_from([False, False, False, True])}
        ),
        is_synced=st.booleans(),
    )
    def begin(self, dialect: Dialect, routes: dict[str, Any], is_synced: bool):
        local = Local()
        if dialect.creates == "accepted":  # of a list that lags behind creates and deletes, nothing can be believed
            dialect = replace(dialect, slow=0.0)
        remote = Remote(replace(dialect))
        self.rows = Rows(local, remote, key_hours=KEY_HOURS if dialect.honors_keys else 0, **routes)
        self.workers = [Worker(self.rows) for _ in range(WORKERS)]
        for number, parent in enumerate(f"p{index}" for index in range(PARENTS)):
            local.save(parent, title=TEXTS[number], pages=1, shown=True)
            local.save(f"c{number}", post="p0", name=TEXTS[0])
        if is_synced:
            self.rest()

    @rule(edits=st.lists(EDITS, min_size=1, max_size=4))
    def write(self, edits: list[tuple[str, str, int, int, str]]):
        """Let an editor create, change, undo, delete, move to another parent, hide or show objects."""
        for edit in edits:
            self._write(*edit)

    def _write(self, how: str, model: str, which: int, other: int, text: str):
        local = self.rows.local
        key = f"p{which % PARENTS}" if model == POSTS else f"c{which % CHILDREN}"
        is_live = key in local.live
        above = chosen(sorted(live for live in local.live if model_of(live) == POSTS), other)
        if how == "delete" and is_live:
            local.delete(key)
        elif how == "undo":
            local.undo(key)
        elif model == POSTS and how == "show" and is_live and self.rows.has_filter:
            local.save(key, shown=not local.live[key]["shown"])
        elif model == POSTS:
            local.save(key, title=text, pages=1 + other, **({} if is_live else {"shown": True}))
        elif above is not None and (how == "move" or not is_live):
            local.save(key, post=above, name=local.live[key]["name"] if is_live else text)
        elif is_live:
            local.save(key, name=text)

    @rule(who=ANY, model=st.sampled_from(MODELS), fates=st.lists(FATES, min_size=1, max_size=6), jitter=st.booleans())
    def step(self, who: int, model: str, fates: list[Fate], jitter: bool):
        """Let a worker take as many steps as there are fates; the first of a run is the plan."""
        worker = chosen(self.workers, who)
        for fate in fates:
            if worker.is_idle:
                self.rows.plan(model)
            worker.step(model, 2, fate, float(jitter))

    @rule(who=ANY, fates=st.lists(FATES, min_size=3, max_size=8), after=TIME)
    def sync(self, who: int, fates: list[Fate], after: tuple[float, bool]):
        """Let an idle worker do a whole run that a person requested, after some seconds."""
        self.rows.wait(after[0], at_last=after[1])
        worker = chosen(self.workers, who)
        if worker.is_idle:
            self.rows.blocked = False  # `runs._begin`
            self.rows.clear_backoff()
            sync(self.rows, worker, fates, at_last=after[1])

    @rule(
        who=ANY,
        model=st.sampled_from(MODELS),
        stages=st.integers(1, 4),
        edits=st.lists(EDITS, min_size=2, max_size=4),
        fates=st.lists(FATES, min_size=1, max_size=4),
        time=TIME,
    )
    def overtake(
        self, who: int, model: str, stages: int, edits: list[Any], fates: list[Fate], time: tuple[float, bool]
    ):
        """Delay a worker in the middle of its work; meanwhile people edit, time passes, and another worker syncs."""
        late, other = chosen(self.workers, who), chosen(self.workers, who + 1)
        self.write(edits[:1])
        self.step(who, model, [Fate.LATE] * stages, False)
        self.write(edits[1:])
        self.rows.plan(model)
        self.rows.wait(time[0], at_last=time[1])
        if other.is_idle:
            sync(self.rows, other, fates, at_last=time[1])
        for _ in range(UNTIL_SETTLED):
            late.step(model, 2, Fate.ARRIVES, 0.0)

    @rule(how=st.sampled_from(["die", "land", "land", "wait", "gateway"]), which=ANY, time=TIME)
    def befall(self, how: str, which: int, time: tuple[float, bool]):
        """Kill a worker at any point, let a request in flight arrive, let time pass, or put a gateway in front."""
        remote, worker = self.rows.remote, chosen(self.workers, which)
        request = chosen(remote.on_their_way, which)
        if how == "die" and not worker.is_idle:
            reached["a worker dies at its work"] += 1
            worker.die()
        elif how == "land" and request is not None:
            remote.land(request, self.rows.now)
        elif how == "gateway":
            remote.gateway = chosen(GATEWAY, which), self.rows.now + timedelta(seconds=GATEWAY_SECONDS)
            reached["a gateway answers everything"] += 1
        elif how == "wait":
            self.rows.wait(time[0], at_last=time[1])

    @rule(how=st.sampled_from(PEOPLE), model=st.sampled_from(MODELS), which=ANY)
    def person(self, how: str, model: str, which: int):
        """Let a person operate the engine, or somebody else change the target."""
        if how in ELSEWHERE:
            self._elsewhere(how, model, which)
        else:
            self._person(how, which)

    def _person(self, how: str, which: int):
        """Let a person retry, hold, release, or resolve an object by looking at the target."""
        rows = self.rows
        if how == "hold" and rows.local.live.keys() | rows.rows.keys():
            rows.hold(chosen(sorted(rows.local.live.keys() | rows.rows.keys()), which))
        key = chosen(sorted(rows.rows), which)
        if key is None:
            return
        if how == "resolve" and (asked := [object_key for object_key in rows.rows if is_asked(rows, object_key)]):
            resolve(rows, chosen(asked, which))
        elif how == "retry":
            rows.raise_keys([key])
        elif how == "rest":
            self.rest()
        elif how == "rename":
            reached["a field is renamed" + " while a create is unanswered" * bool(rows.unanswered)] += 1
            rows.rename()
        elif how == "release":
            reached["released"] += rows.rows[key].on_hold
            rows.rows[key].on_hold = False

    def _elsewhere(self, how: str, model: str, which: int):
        """Let somebody else remove, change or add a record at the target."""
        remote = self.rows.remote
        bound = {as_id(remote_id) for remote_id in self.rows.bound(model)}
        number = chosen(sorted(bound & remote.records[model].keys()), which)
        if how == "add" and model == POSTS:
            self._add(chosen(STRANGERS, which))
        elif number is not None and how == "touch":
            record = remote.records[model][number]
            record.fields = {name: value if name == "post" else "touched" for name, value in record.fields.items()}
            remote.touched.add((model, number))
            remote.in_the_way.clear()
        elif number is not None and how == "remove" and remote.may_go(model, number):
            reached["a record vanishes"] += 1
            remote.in_the_way.clear()
            remote.remove(model, number, self.rows.now, by_us=False)

    def _add(self, what: str):
        """Let somebody else add a post of their own: one like none, equal to one of ours, or only like it."""
        remote, local = self.rows.remote, self.rows.local
        ours = chosen(sorted(key for key in local.live if model_of(key) == POSTS), remote.ever[POSTS])
        body = {"title": "a stranger's", "pages": 9}
        if what != "a stranger's" and ours is not None:
            body["title"] = local.live[ours]["title"]
            body["pages"] = local.live[ours]["pages"] if what == "equal" else 9
        kept = remote.dialect.kept(body)
        if not (remote.dialect.unique and remote.has_title(kept["title"])):
            remote.ever[POSTS] += 1
            remote.records[POSTS][remote.ever[POSTS]] = Record(kept, None)
            reached[f"somebody adds a post: {what}"] += 1

    def rest(self):
        """Let the target be healthy again until nothing is due."""
        for worker in self.workers:
            worker.die()
        come_to_rest(self.rows)
        check_rest(self.rows)

    def teardown(self):
        """Let a person resolve every blocked object, until none is left: then everything must be in sync."""
        if not hasattr(self, "rows"):
            return
        self.rest()
        for _ in range(PUT_RIGHT):
            if not put_right(self.rows):
                break
            self.rest()
        left = {key: row for key, row in self.rows.rows.items() if self.rows.facts(key).due}
        assert not left, f"a person did all that can be done, and this is left: {left}"

    @invariant()
    def no_object_has_two_records(self):
        """Law 3: no object has two records at the target."""
        for records in self.rows.remote.records.values() if hasattr(self, "rows") else ():
            owners = Counter(record.owner for record in records.values() if record.owner is not None)
            for key, number in owners.items():
                assert number == 1, f"{key} has {number} records"

    @invariant()
    def only_an_unanswered_create_keeps_its_body(self):
        """An answered create is never looked up or in doubt, and an unanswered one is never forgotten."""
        for key, row in self.rows.rows.items() if hasattr(self, "rows") else ():
            assert (row.create_body is not None) == (key in self.rows.unanswered), f"{key}: {row}"

    @invariant()
    def what_is_agreed_is_there(self):
        """`agreed` is what the target holds, unless somebody else changed the record."""
        remote = self.rows.remote if hasattr(self, "rows") else Remote()
        for key, row in self.rows.rows.items() if hasattr(self, "rows") else ():
            model = model_of(key)
            if row.unconfirmed or row.remote_id is None or row.agreed is None:
                continue
            place = (model, as_id(row.remote_id))
            if place not in remote.vanished and place not in remote.touched:
                record = remote.records[model].get(place[1])
                assert record is not None, f"{key} is agreed, and there is no record"
                kept = remote.dialect.kept(row.agreed)
                assert record.fields == kept, f"{key} is agreed to hold {kept}, and holds {record.fields}"
