"""A create whose answer was lost on the way back from a node of our own, which honors Idempotency-Keys."""

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Permission

from backoffice.accounts.models import User
from content.news.models import Post
from syncer.engine.runs import run_here
from syncer.models import Attempt, Binding, Route, Target
from tests.syncer.support import let_time_pass

pytestmark = pytest.mark.django_db(transaction=True)

OURS, DEFAULT = 7, 99999942  # users of posts: what travels, and what the node gives a post that names none


class Way(ThreadingHTTPServer):
    """The way to the node: passes requests on, and loses the first answer to a new post."""

    def __init__(self, node: str) -> None:
        self.node, self.answers = urlsplit(node).netloc, list[tuple[int, str | None]]()
        super().__init__(("127.0.0.1", 0), Passing)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Way

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""

    def pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        node = http.client.HTTPConnection(self.server.node, timeout=10)
        try:
            node.request(self.command, self.path, body, dict(self.headers) | {"Host": self.server.node})
            answer = node.getresponse()
            content = answer.read()
        finally:
            node.close()
        if self.path.endswith("/posts/"):
            self.server.answers.append((answer.status, answer.headers["Idempotency-Replayed"]))
            if len(self.server.answers) == 1:
                self.close_connection = True
                return
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = pass_on  # noqa: N815 - http.server looks for these names


@pytest.fixture
def way(live_server: Any) -> Iterator[Way]:
    with Way(live_server.url) as way:
        thread = threading.Thread(target=way.serve_forever, args=(0.01,))
        thread.start()
        yield way
        way.shutdown()
        thread.join()


@pytest.fixture
def target(way: Way, monkeypatch: pytest.MonkeyPatch) -> Target:
    """This very node as its own target: what it takes for another's has another user, and does not travel on."""
    user = User.objects.create_user("sync", password="the-password")
    user.user_permissions.set(Permission.objects.filter(codename__endswith="_post"))
    monkeypatch.setenv("SYNC_PASSWORD", "the-password")
    target = Target.objects.create(name="node", url=f"{way.url}/api", auth="jwt", auth_user="sync", allow_private=True)
    Target.objects.update(auth_secret="env:SYNC_PASSWORD", auth_url="/api/token/")
    target.refresh_from_db()
    fields, only = {"title": "title", "body": "body"}, {"user_id": OURS}
    Route.objects.create(
        target=target, model="news.Post", path="/news/posts/", fields=fields, filter=only, key_hours=24
    )
    return target


def test_the_node_answers_the_repeat_as_it_did_the_first_time(way, target):
    post = Post.objects.create(user_id=OURS, title="A “quoted” ü", body="B")
    assert run_here(target).state == "failed"
    let_time_pass()
    assert run_here(target).message == "1 created."
    assert way.answers == [(201, None), (201, "true")]
    made = Post.objects.get(user_id=DEFAULT)
    assert Binding.objects.get(object_key=str(post.pk)).remote_id == str(made.pk)
    actions = Attempt.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["create", "replay"]
