"""Lists, single objects, creates and updates by the API: against Django REST framework, and reads against FastAPI.

Each server is one process and answers one client, on a connection that stays open. What counts is the CPU time of the
server and of its PostgreSQL backends; the client's does not.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from itertools import count

import jwt
import requests

from bench.cpu import Meter
from bench.harness import Contestant, Cost, Figure, faster, pick, race
from bench.stage import PASSWORD, Server, running, web, wsgi
from tools.servers import free_port

POSTS = pick(100_000, 500)
UNITS = {"list": pick(60, 2), "object": pick(200, 2), "create": pick(100, 2), "update": pick(100, 2)}
BODY = {"title": "A post that was written for a benchmark", "body": "Some words of a post about what we sell. " * 4}
TITLES = {"list": "list 100 of 100k", "object": "one object", "create": "create", "update": "update"}
# By line: the rival, and how many times as fast we are to be.
GOALS: dict[str, dict[str, float]] = {
    "list": {"DRF": 8, "FastAPI": 3},
    "object": {"DRF": 4, "FastAPI": 2.5},
    "create": {"DRF": 1.5, "DRF with history": 3},
    "update": {"DRF": 1.5, "DRF with history": 3},
}


@dataclass(frozen=True)
class Api:
    """A server of posts: `path` is that of their list, `query` asks for 100 of them."""

    name: str
    port: int
    path: str
    authorization: str
    cpu: Callable[[], float]
    query: str = ""

    def contestant(self, line: str) -> Contestant:
        return Contestant(name=self.name, work=partial(getattr(self, line), UNITS[line]), cpu=self.cpu)

    def list(self, number: int) -> int:
        with self._client() as ask:
            for _ in range(number):
                answer = json.loads(ask("GET", self.path + self.query, 200))
                rows = answer if isinstance(answer, list) else answer.get("items") or answer["results"]
                assert len(rows) == 100, len(rows)
        return number

    def object(self, number: int) -> int:
        with self._client() as ask:
            for pk in range(1, number + 1):
                ask("GET", f"{self.path}{pk}/", 200)
        return number

    def create(self, number: int) -> int:
        with self._client() as ask:
            for _ in range(number):
                ask("POST", self.path, 201, BODY)
        return number

    def update(self, number: int) -> int:
        with self._client() as ask:
            for pk in range(1, number + 1):
                ask("PATCH", f"{self.path}{pk}/", 200, {"title": f"Edited {next(numbers)}"})
        return number

    @contextmanager
    def _client(self) -> Iterator[Callable[..., bytes]]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Authorization": self.authorization, "Accept": "application/json"}

        def ask(method: str, path: str, status: int, body: object = None) -> bytes:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, headers | ({"Content-Type": "application/json"} if text else {}))
            answer = connection.getresponse()
            content = answer.read()
            assert answer.status == status, f"{self.name}: {method} {path}: {answer.status} {content[:500]!r}"
            return content

        try:
            yield ask
        finally:
            connection.close()


numbers = count(1)


def measure(server: Server, lines: Sequence[str]) -> list[Figure]:
    with ExitStack() as stack:
        serves = (backoffice, rest, history, fastapi)
        ours, drf, recorded, fast = (stack.enter_context(serve(server)) for serve in serves)
        rivals = {"list": (drf, fast), "object": (drf, fast), "create": (drf, recorded), "update": (drf, recorded)}
        figures = []
        for line in lines:
            contestants = [one.contestant(line) for one in (ours, *rivals[line])]
            race(*contestants, rounds=1)  # connections, caches and plans are warm from here on
            costs = race(*contestants)
            figures += list(compared(line, costs))
    return figures


def compared(line: str, costs: dict[str, Cost]) -> Iterator[Figure]:
    for rival, goal in GOALS[line].items():
        yield faster(line, TITLES[line], costs["ours"], costs[rival], against=rival, goal=goal)


@contextmanager
def backoffice(server: Server) -> Iterator[Api]:
    with (
        server.copy(server.filled(POSTS)) as database,
        web(server.environment(database)) as (port, pid),
    ):
        address, body = f"http://127.0.0.1:{port}", {"username": "editor", "password": PASSWORD}
        access = requests.post(f"{address}/api/token/", json=body, timeout=60).json()["access"]
        meter = Meter(server, database, [pid])
        yield Api("ours", port, "/api/news/posts/", f"Bearer {access}", meter, query="?limit=100")


@contextmanager
def django_site(server: Server, name: str, path: str) -> Iterator[Api]:
    from bench.rivals.site.prepare import TOKEN

    with (
        server.copy(server.rival(POSTS)) as database,
        wsgi("bench.rivals.site.wsgi:application", server.rival_environment(database)) as (port, pid),
    ):
        yield Api(name, port, path, f"Token {TOKEN}", Meter(server, database, [pid]))


def rest(server: Server) -> AbstractContextManager[Api]:
    return django_site(server, "DRF", "/posts/")


def history(server: Server) -> AbstractContextManager[Api]:
    return django_site(server, "DRF with history", "/recorded/")


@contextmanager
def fastapi(server: Server) -> Iterator[Api]:
    port = free_port()
    with server.copy(server.rival(POSTS)) as database:
        words = ["uvicorn", "--port", str(port), "--log-level", "warning", "--no-access-log", "bench.rivals.fast:app"]
        with running(words, server.rival_environment(database), port=port) as pid:
            claims = {"sub": "editor", "scopes": ["posts:read"]}
            token = jwt.encode(claims, os.environ["BENCH_SECRET"], algorithm="HS256")
            yield Api("FastAPI", port, "/posts/", f"Bearer {token}", Meter(server, database, [pid]))
