"""The real servers: how each is started, and what it holds, which is asked without the proxy."""

import base64
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from tests.flows.wait import until
from tools.nodes import ROOT
from tools.processes import Processes
from tools.servers import free_port

INSTALLED = ROOT / ".venvs" / "real"
HERE = Path(__file__).parent
START_SECONDS = 60  # an end, not an expectation
Record = dict[str, Any]


class Server(ABC):
    """A server that runs, with one collection of posts.

    Attributes:
        configuration: the server as a target, in the words of a configuration file; `{url}` is its address.
        path: the collection of posts.
        user_id: the name that a post's user id has there.
        create, update: the methods that make and change a post.
        ready: the path that is answered with 200 as soon as the server is ready.
        headers: what every request needs.
        made: the paths that a PUT has to make first, where the server has no collection from its start.
    """

    configuration: ClassVar[str]
    path: ClassVar[str]
    user_id: ClassVar[str] = "user_id"
    create: ClassVar[str] = "POST"
    update: ClassVar[str] = "PUT"
    ready: ClassVar[str]
    headers: ClassVar[Mapping[str, str]] = {}
    made: ClassVar[Sequence[str]] = ()

    def __init__(self, port: str) -> None:
        self.port = port
        self.address = f"127.0.0.1:{port}"

    @abstractmethod
    def command(self, folder: Path) -> list[str]:
        """Return the command that starts it in an empty folder."""

    @abstractmethod
    def posts(self) -> list[Record]:
        """Return all posts that it holds."""

    def add(self, **fields: Any) -> Record:
        """Make a post."""
        made: Record = self.ask("POST", self.path, fields)[0]
        return made

    def change(self, post: Record, **fields: Any) -> None:
        self.ask("PATCH", f"{self.path}/{post['id']}", fields)

    def remove(self, post: Record) -> None:
        self.ask("DELETE", f"{self.path}/{post['id']}")

    def empty(self) -> None:
        """Delete all posts."""
        for post in self.posts():
            self.remove(post)

    def ask(self, method: str, path: str, body: object = None) -> tuple[Any, HTTPMessage]:
        """Return the JSON of the answer, and its headers.

        Raises:
            AssertionError: the server refused the request.
        """
        connection = HTTPConnection(self.address, timeout=START_SECONDS)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, content, {"Content-Type": "application/json", **self.headers})
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        assert response.status < 300, (method, path, response.status, answer)
        return json.loads(answer or b"null"), response.headers

    def is_ready(self) -> bool:
        try:
            self.ask("GET", self.ready)
        except (OSError, AssertionError):
            return False
        return True


class JsonServer(Server):
    """json-server 0.17: ids are the highest one plus 1, and deleting a post deletes its comments."""

    configuration = """
        [targets.real]
        url = "{url}"
        timeout = 1
        [[targets.real.routes]]
        model = "news.Post"
        path = "/posts"
        fields = {{ userId = "user_id", title = "title", body = "body" }}
        lookup = ["userId", "title"]
        paging = "link"
        query = {{ _page = "1", _limit = "10" }}
        [[targets.real.routes]]
        model = "news.Comment"
        path = "/comments"
        fields = {{ postId = "post", name = "name", email = "email", body = "body" }}
        lookup = ["postId", "email", "name"]
    """
    path = ready = "/posts"
    user_id = "userId"

    def command(self, folder: Path) -> list[str]:
        (folder / "db.json").write_text('{"posts": [], "comments": []}')
        program = str(INSTALLED / "node_modules" / ".bin" / "json-server")
        return [program, "--host", "127.0.0.1", "--port", self.port, "--quiet", "db.json"]

    def posts(self) -> list[Record]:
        posts: list[Record] = self.ask("GET", self.path)[0]
        return posts


class Kinto(Server):
    """Kinto: bodies are `{"data": …}`, PUT creates, records have ETags, the next page is in the header Next-Page."""

    configuration = """
        [targets.real]
        url = "{url}/v1"
        timeout = 1
        auth = {{ type = "basic", user = "editor", secret = "env:SYNC_KINTO_PASSWORD" }}
        [[targets.real.routes]]
        model = "news.Post"
        path = "/buckets/news/collections/posts/records"
        fields = {{ user_id = "user_id", title = "title", body = "body" }}
        lookup = ["user_id", "title"]
        wrap = "data"
        record = "data"
        items = "data"
        paging = "header"
        if_match = true
    """
    path = "/v1/buckets/news/collections/posts/records"
    ready = "/v1/"
    made = ("/v1/buckets/news", "/v1/buckets/news/collections/posts")
    user, password = "editor", "only-for-tests"
    headers = {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}

    def command(self, folder: Path) -> list[str]:
        return [str(INSTALLED / "bin" / "pserve"), str(HERE / "kinto.ini"), f"port={self.port}"]

    def posts(self) -> list[Record]:
        posts: list[Record] = []
        path = self.path
        while path:
            answer, headers = self.ask("GET", path)
            posts += answer["data"]
            path = headers.get("Next-Page", "").partition(self.address)[2]
        return posts

    def add(self, **fields: Any) -> Record:
        made: Record = super().add(data=fields)["data"]
        return made

    def change(self, post: Record, **fields: Any) -> None:
        super().change(post, data=fields)


class KintoOurIds(Kinto):
    """Kinto whose records we give their ids, by a PUT that creates."""

    configuration = (
        Kinto.configuration
        + """
        own_id = "id"
    """
    )
    create = "PUT"


class PocketBase(Server):
    """PocketBase: lists by `page`, 400 to what is not unique, and 404 to a PUT, for records are changed by PATCH."""

    configuration = """
        [targets.real]
        url = "{url}"
        timeout = 1
        [[targets.real.routes]]
        model = "news.Post"
        path = "/api/collections/posts/records"
        fields = {{ user_id = "user_id", title = "title", body = "body" }}
        lookup = ["title"]
        update = "PATCH"
        items = "items"
        paging = "page"
        query = {{ perPage = "10" }}
    """
    path = "/api/collections/posts/records"
    update = "PATCH"
    ready = "/api/health"

    def command(self, folder: Path) -> list[str]:
        options = ["--dir", str(folder), "--migrationsDir", str(HERE / "pocketbase"), "--automigrate=false"]
        return [str(INSTALLED / "bin" / "pocketbase"), "serve", "--http", self.address, *options]

    def posts(self) -> list[Record]:
        posts: list[Record] = self.ask("GET", f"{self.path}?perPage=1000")[0]["items"]
        return posts


S = TypeVar("S", bound=Server)


@contextmanager
def running(kind: type[S], folder: Path) -> Iterator[S]:
    """Run a server of this kind on a free port, with its files in `folder`."""
    server = kind(str(free_port()))
    log = folder / "server.log"
    with Processes() as processes:
        processes.start(kind.__name__, server.command(folder), environment=os.environ, folder=folder, log=log)
        until(lambda: processes.ended() or server.is_ready(), seconds=START_SECONDS)
        assert processes.running, f"{kind.__name__} did not start. Did make test-real install it? {log.read_text()}"
        for path in kind.made:
            server.ask("PUT", path)
        yield server
