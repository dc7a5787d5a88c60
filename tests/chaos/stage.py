"""What the run stands on: settings for every process, a migrated database, a web server, two targets."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from django.core.management import call_command
from django.utils import timezone

from tests.chaos import audit
from tests.chaos.schedule import EDITORS, REMOTES
from tests.remote import Remote
from tests.remote.ways import ALL
from tools import servers
from tools.lifeline import tied
from tools.nodes import LOOPBACK, NOT_INHERITED, ROOT, Node
from tools.processes import Processes

LEASE = 3  # seconds at least; a claim is held for three times what a request may take, so for 6, and in a pair for 12
IDLE = 4  # seconds until the database ends who stands still in a transaction; before a claim of theirs is over
TIMEOUT = 1  # seconds until a request is given up; after twice as long none of ours can still arrive
RATE = 0.2  # of all requests
SHARED = 4  # posts that several editors write
NICE = ["nice", "-n", "5"]  # the remotes, whose answers are timed, come first
EDITING_ENDS = 40  # seconds after its time, in which an editor must know what became of its last write


def node_environment(name: str, database: str, var: Path, **more: str) -> dict[str, str]:
    """The environment of every process of a node."""
    inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    return inherited | {
        "DJANGO_SETTINGS_MODULE": "backoffice.settings",
        "DATABASE_URL": database,
        "BACKOFFICE_DOTENV": "",
        "BACKOFFICE_ENV": "development",
        "BACKOFFICE_NODE": name,
        "BACKOFFICE_VAR": str(var),
        "PRIVATE_NETWORKS": LOOPBACK,
        "SECRET_KEY": secrets.token_urlsafe(50),
        "SYNC_LEASE_SECONDS": str(LEASE),
        "API_RATE": "1000000/minute",
        "REGISTRATION_RATE": "1000000/minute",
        **more,
    }


def environment(database: str, var: Path) -> dict[str, str]:
    """What every process of the run gets, this one too."""
    own = {"DATABASE_IDLE_SECONDS": str(IDLE), "BACKOFFICE_WORKERS": "2", "LOG_LEVEL": "WARNING", "PGAPPNAME": "chaos"}
    return node_environment("chaos", database, var, **own)


def build(remotes: dict[str, Remote]) -> None:
    """The tables, with what notes their writes; who writes; where to, and how."""
    from backoffice.accounts.models import ApiKey, User
    from content.news.models import Post

    call_command("migrate", verbosity=0)
    audit.install()
    user = User.objects.create_superuser("chaos")
    key = ApiKey(user=user, name="chaos", full_access=True, expires=timezone.now() + timedelta(days=1))
    os.environ["CHAOS_API_KEY"] = key.seal()
    key.save()
    Post.objects.bulk_create(Post(title=f"shared-{number} first", body="shared") for number in range(SHARED))
    make_targets(remotes)


def make_targets(remotes: dict[str, Remote]) -> None:
    """Alpha looks creates up, and is sent whole records.

    Beta knows Idempotency-Keys for posts, of which it gets some, and is sent what changed; an unanswered comment can't
    be found again there.
    """
    from syncer.models import Route, Target

    post = {"userId": "user_id", "title": "title", "body": "body"}
    comment = {"postId": "post", "name": "name", "email": "email", "body": "body"}
    alpha, beta = (Target.objects.create(name=name, url=remotes[name].url, timeout=TIMEOUT) for name in REMOTES)
    common = {"trigger": "change", "max_deletes": 1_000_000}  # nobody is there to allow the editors' deletes
    posts = {"model": "news.Post", "path": "/posts", "fields": post, **common}
    comments = {"model": "news.Comment", "path": "/comments", "fields": comment, **common}
    Route.objects.create(target=alpha, **posts, lookup=["userId", "title"])
    Route.objects.create(target=alpha, **comments, lookup=["name"])
    Route.objects.create(target=beta, **posts, update="PATCH", key_hours=1, filter={"user_id__gt": 100})
    Route.objects.create(target=beta, **comments, update="PATCH", create_path="/posts/{post}/comments")
    remotes["beta"].honor_keys()


def start_web(processes: Processes, var: Path) -> None:
    """The server that answers the API; returns when it does."""
    port = servers.free_port()
    os.environ["CHAOS_WEB"] = f"http://127.0.0.1:{port}"
    node = Node(name="chaos", port=port, var=var, environment={**os.environ, "PGAPPNAME": "web"})
    words = [*NICE, *servers.web_server(node)]
    processes.start("The web server", words, environment=node.environment, folder=ROOT, log=var / "web.log")
    servers.wait_until_ready(processes, [node])


@contextmanager
def remotes_of(seed: str) -> Iterator[dict[str, Remote]]:
    """Two Fake APIs that fail by the seed."""
    with Remote() as alpha, Remote() as beta:
        remotes = dict(zip(REMOTES, (alpha, beta), strict=True))
        for name, remote in remotes.items():
            remote.chaos(seed=f"{seed}/{name}", rate=RATE, ways=ALL)
        yield remotes


class Editors:
    """The editors' processes."""

    def __init__(self, *, seed: str, begin: float, seconds: float, var: Path) -> None:
        self.books = {name: var / f"{name}.json" for name in EDITORS}
        self.logs = {name: var / f"{name}.log" for name in EDITORS}
        self._until = begin + seconds + EDITING_ENDS
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        for name, file in self.books.items():
            words = [sys.executable, "-m", "tests.chaos.editing", name, seed, str(begin), str(seconds), str(file)]
            with self.logs[name].open("wb") as log:
                self._running[name] = subprocess.Popen(
                    **tied([*NICE, *words]),
                    cwd=ROOT,
                    env={**os.environ, "PGAPPNAME": name},
                    stdout=log,
                    stderr=log,
                )

    def wait(self) -> dict[str, int | None]:
        """The exit status of each; None: it had to be killed."""
        ended: dict[str, int | None] = {}
        for name, process in self._running.items():
            try:
                ended[name] = process.wait(max(0.1, self._until - time.time()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                ended[name] = None
        return ended
