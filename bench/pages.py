"""Pages of the admin with 10,000 posts and with a million. A target has planned 8 % of them.

What counts is the CPU time of the web server and of its PostgreSQL backends.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from bench.admin import Admin
from bench.cpu import Meter
from bench.harness import TINY, Contestant, Figure, pick, race
from bench.stage import PASSWORD, Server, web

FEW, MANY = pick(10_000, 500), pick(1_000_000, 500)
VIEWS = pick(3, 1)
PAGES = {
    "index": "/admin/",
    "targets": "/admin/syncer/target/",
    "list": "/admin/news/post/",
    "form": "/admin/news/post/77/change/",
    "search": "/admin/news/post/?q=Post+77+about",
}


@dataclass(frozen=True)
class Site:
    name: str
    admin: Admin
    cpu: Meter

    def contestant(self, path: str) -> Contestant:
        return Contestant(name=self.name, work=partial(self.view, path), cpu=self.cpu)

    def view(self, path: str) -> int:
        for _ in range(VIEWS):
            answer = self.admin.http.get(f"{self.admin.address}{path}", timeout=120)
            assert answer.status_code == 200, f"{path}: {answer.status_code}"
        return VIEWS


@contextmanager
def site(server: Server, name: str, posts: int) -> Iterator[Site]:
    with (
        server.copy(server.filled(posts)) as database,
        web(server.environment(database)) as (port, pid),
    ):
        admin = Admin(f"http://127.0.0.1:{port}", "admin", PASSWORD)
        yield Site(name, admin, Meter(server, database, [pid]))


def measure(server: Server, _: Sequence[str]) -> list[Figure]:
    with ExitStack() as stack:
        few = stack.enter_context(site(server, "few", FEW))
        many = stack.enter_context(site(server, "many", MANY))
        return [figure(title, path, few, many) for title, path in PAGES.items()]


def figure(title: str, path: str, few: Site, many: Site) -> Figure:
    contestants = [one.contestant(path) for one in (few, many)]
    race(*contestants, rounds=1)
    costs = race(*contestants)
    less, more = costs["few"], costs["many"]
    return Figure(
        line="pages",
        work=f"admin {title} at {MANY:,} posts",
        against=f"{FEW:,} posts",
        unit="ms CPU",
        ours=more.cpu * 1000,
        rival=less.cpu * 1000,
        ratio=more.cpu / max(less.cpu, TINY),
        goal=1.5,
        at_most=True,
        beside={"clock ms": more.clock * 1000, "clock ms, few": less.clock * 1000},
    )
