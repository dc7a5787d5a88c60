"""The situations of `test_dialects.py`, and the world in which they take place: our posts, one route, one server."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.core.management import call_command

from backoffice.kit import clock
from content.news.models import Post
from syncer.core.answers import at, nested
from syncer.core.ids import decode_id
from syncer.core.state import State, facts_of, state_of
from syncer.models import Binding, Route, Run, Target
from syncer.models.binding import UNBLOCKED
from syncer.models.routemap import RouteMap
from syncer.targets.rest import doubt
from syncer.targets.rest.payload import load
from tests.remote import Fault, Remote
from tests.syncer.conftest import sync
from tests.syncer.support import let_time_pass
from tests.syncer.targets.rest.server import Server

WORDS = ("Alpha", "Bravo", "Charlie", "Delta", "Echo", "Foxtrot")
ROUNDS = 10


@dataclass
class World:
    """Our posts, and a server that speaks a dialect. Titles differ in their first words."""

    target: Target
    remote: Remote
    server: Server
    foreign: int = 0  # records that are none of ours
    made: int = 0  # posts that were made here
    decisions: int = 0  # of the person
    blocked: str = ""  # why the target was blocked

    def __post_init__(self) -> None:
        self.target.routes.all().delete()
        plain = {
            "fields": {"userId": "user_id", "title": "title", "body": "body"},
            "lookup": ["userId", "title"],
            "trigger": "manual",
        }
        route = Route(target=self.target, model="news.Post", path="/posts", **{**plain, **self.server.columns})
        route.clean()
        route.save()
        self.speaker = self.remote.speak(self.server.dialect)

    @property
    def route(self) -> Route:
        return Route.objects.get(target=self.target)

    @cached_property
    def creates(self) -> str:
        return "PUT" if self.route.own_id else "POST"

    # --- what happens ------------------------------------------------------------------------------------------------
    def make(self, count: int) -> list[Post]:
        """Make posts whose texts every server likes to change."""
        first, self.made = self.made, self.made + count
        return [
            Post.objects.create(
                title=f'{word} Überraschung  & <b>Co</b>: it\'s a "longer" title ½ ',
                body=f"The body of {word}, 5 > 3 &amp; so on ",
            )
            for word in WORDS[first : first + count]
        ]

    def edit(self, posts: list[Post]) -> None:
        for post in posts:
            post.body = f"{post.body}, edited"
            post.save()

    def lose(self, method: str, *, act: bool = True) -> None:
        """Lose the answer to the next such request, which is carried out or not."""
        self.remote.fault(Fault.RESET, method=method, act=act)

    def sync(self) -> Run:
        let_time_pass()
        return sync(self.target)

    # --- how it ends -------------------------------------------------------------------------------------------------
    def rest(self) -> None:
        """Sync until nothing more is sent, and nothing more is to be tried."""
        for _ in range(ROUNDS):
            before = len(self.remote.writes())
            run = self.sync()
            self.check_no_double()
            self.target.refresh_from_db()
            waiting = Binding.objects.left(self.target).filter(UNBLOCKED)
            if not waiting.exists() or (self.target.blocked and len(self.remote.writes()) == before):
                return
        raise AssertionError(f"It does not come to rest: {run.message}")

    def check_no_double(self) -> None:
        words = [self.word_of(record) for record in self.remote.posts.values()]
        assert len(words) == len(set(words)), sorted(words)

    def word_of(self, record: dict[str, Any]) -> str:
        """The first word of a record's title, by which a person knows it."""
        title = next(
            value
            for name in ("title", "headline", "attributes.title", "attributes.headline")
            if (value := get(record, name))
        )
        return str(title["raw"] if isinstance(title, dict) else title).split()[0].casefold()

    def end(self) -> None:
        """Let everything come to rest, and a person end what only a person can; then both sides must be equal."""
        self.remote.heal()
        self.rest()
        if self.target.blocked:
            self.blocked = self.target.blocked
            Route.objects.filter(target=self.target).update(**self.server.cure)
            self.rest()
            assert not self.target.blocked, self.target.blocked
        for _ in range(3):
            if not Binding.objects.left(self.target).exists():
                break
            self.decide()
            self.rest()
        self.check_equal()

    def decide(self) -> None:
        """Do as a person would with every object that is set aside; its state has a name and a reason."""
        for binding in Binding.objects.left(self.target):
            state = state_of(facts_of(binding, clock.now()))
            assert state in (State.IN_DOUBT, State.REJECTED), binding.reason
            assert binding.reason
            self.decisions += 1
            if doubt.question(binding) is None:
                call_command("sync_retry", self.target.name)
                continue
            bound = {text_of(row) for row in Binding.objects.exclude(remote_id=None)}
            sent = binding.create_body or binding.agreed or {}
            post = Post.objects.filter(pk=binding.object_key).first()
            word = self.word_of(nested(sent)) if post is None else post.title.split()[0].casefold()
            found = [
                shown
                for key, record in self.remote.posts.items()
                if self.word_of(record) == word and str(shown := self.server.dialect.id_as(key)) not in bound
            ]
            doubt.decide(binding=binding, remote_id=found[0] if found else None)

    def check_equal(self) -> None:
        """Every post has one record, equal but for the server's spelling, and there is no other record of ours."""
        routes, keys = RouteMap(self.target), [str(post.pk) for post in Post.objects.all()]
        wanted = load(routes, self.route, keys)
        dialect, records = self.server.dialect, self.remote.posts
        by_id = {str(dialect.id_as(key)): record for key, record in records.items()}
        bound = {row.object_key: text_of(row) for row in Binding.objects.exclude(remote_id=None)}
        assert set(bound) == set(keys)
        for key in keys:
            payload = wanted[key].payload
            stored, record = dialect.stored(nested(payload)), by_id[bound[key]]
            assert {name: get(record, name) for name in payload} == {name: get(stored, name) for name in payload}
        assert len(records) == len(keys) + self.foreign


def get(record: dict[str, Any], name: str) -> Any:
    value = at(record, name)
    return value if value is None or isinstance(value, str | int | float | dict | list) else None


def text_of(binding: Binding) -> str:
    return str(decode_id(binding.remote_id or "null"))


def create_lost_before(world: World) -> None:
    world.make(3)
    world.lose(world.creates, act=False)
    world.sync()


def create_lost_after(world: World) -> None:
    world.make(3)
    world.lose(world.creates)
    world.sync()


def edited_while_open(world: World) -> None:
    posts = world.make(2)
    world.lose(world.creates)
    world.sync()
    world.edit(posts)


def deleted_while_open(world: World) -> None:
    world.make(2)
    world.lose(world.creates)
    world.sync()
    Post.objects.all().delete()


def renamed_while_open(world: World) -> None:
    """The route sends the title under another name, from now on; a PUT replaces the old name by the new one."""
    world.make(2)
    world.lose(world.creates)
    world.sync()
    route = world.route
    new = {name: name.replace("title", "headline") for name in (*route.fields, *route.lookup)}
    Route.objects.filter(pk=route.pk).update(
        fields={new[name]: local for name, local in route.fields.items()}, lookup=[new[name] for name in route.lookup]
    )


def update_lost(world: World) -> None:
    posts = world.make(3)
    world.sync()
    world.edit(posts[:2])
    world.lose(world.route.update)
    world.sync()


def delete_lost(world: World) -> None:
    posts = world.make(3)
    world.sync()
    for post in posts[:2]:
        post.delete()
    world.lose("DELETE")
    world.sync()


def mass_delete(world: World) -> None:
    """All but one are deleted; one delete is lost before, one after it was carried out, and a new post is made."""
    posts = world.make(5)
    world.sync()
    for post in posts[1:]:
        post.delete()
    world.lose("DELETE", act=False)
    world.lose("DELETE")
    world.sync()


def both_had_data(world: World) -> None:
    """Two are equal, one differs, one is only here, and one only there."""
    posts = world.make(4)
    wanted = load(RouteMap(world.target), world.route, [str(post.pk) for post in posts])
    bodies = [wanted[str(post.pk)].payload for post in posts]
    title, body = (next(name for name in bodies[0] if name.endswith(end)) for end in ("title", "body"))
    ids = [{"id": number} if world.route.own_id else {} for number in (*(post.pk for post in posts[:3]), 999)]
    there = [bodies[0] | ids[0], bodies[1] | ids[1], bodies[2] | {body: "quite another"} | ids[2]]
    there.append(bodies[3] | {title: "Theirs", body: "not ours"} | ids[3])
    world.speaker.seed("posts", *(nested(record) for record in there))
    world.foreign = 1
    world.sync()


def gateway(world: World) -> None:
    """A gateway answers everything with 404 while one is edited, one deleted and one made."""
    posts = world.make(3)
    world.sync()
    world.edit(posts[:1])
    posts[1].delete()
    world.make(1)
    world.remote.gateway(status=404, body={"message": "default backend - 404"})
    world.sync()
    world.sync()


Situation = Callable[[World], None]
SITUATIONS: dict[str, Situation] = {
    function.__name__.replace("_", " "): function
    for function in (
        create_lost_before,
        create_lost_after,
        edited_while_open,
        deleted_while_open,
        renamed_while_open,
        update_lost,
        delete_lost,
        mass_delete,
        both_had_data,
        gateway,
    )
}
ASKS = frozenset({"both had data"})  # at every server: one record differs from ours
