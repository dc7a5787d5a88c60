"""`make failover`: see the package's docstring."""

import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from tests import postgres, replication
from tests.chaos.stage import node_environment
from tests.failover.editors import Editor
from tests.flows.wait import until
from tests.remote import Remote
from tools import servers
from tools.nodes import ROOT, Node, command
from tools.processes import Processes, kill_group
from tools.run import say

EDITORS = ("editor-1", "editor-2", "editor-3", "editor-4")
STEP = 60  # acknowledged writes before each blow, and after the last one
HOSTS = ("host-a", "host-b")
CLAIMS = "SELECT who, count(*) FROM chaos_lane WHERE token > old_token AND lease IS NOT NULL GROUP BY who ORDER BY who"


def main() -> int:
    """The exit status: 0, if nothing was lost and nothing is there twice."""
    with (
        tempfile.TemporaryDirectory(prefix="backoffice-failover-") as name,
        replication.server(synchronous_standby_names=replication.NAME) as primary,
        replication.standby(primary) as standby,
        Remote() as remote,
        Processes() as processes,
    ):
        var = Path(name)
        url = f"{postgres.address(primary.port, standby.port)}?target_session_attrs=read-write"
        node = Node(
            name="failover",
            port=servers.free_port(),
            var=var,
            environment=node_environment(
                "failover", url, var, SYNC_LEASE_SECONDS="5", BACKOFFICE_WORKERS="1", LOG_LEVEL="WARNING"
            ),
        )
        os.environ.update(node.environment)
        django.setup()
        key = build(remote)
        start(processes, node)
        editors = [Editor(name, node.address, key) for name in EDITORS]
        for editor in editors:
            editor.start()
        try:
            story(primary, standby, remote, processes, editors)
        finally:
            for editor in editors:
                editor.stop()
            for editor in editors:
                editor.join()
        wrong = [f"{editor.name}: {editor.error}" for editor in editors if editor.error] + judge(remote, editors)
        report(editors)
        for log in sorted(var.glob("*.log")) if wrong else ():
            say(f"--- {log.name}\n{log.read_text()[-3000:]}")
        say("\n".join(wrong) or "Nothing acknowledged was lost, the target equals us, and nothing is there twice.")
        connections.close_all()
    return 1 if wrong else 0


def build(remote: Remote) -> str:
    """Make the tables and a target that follows changes; return the API key of the editors."""
    from backoffice.accounts.models import ApiKey, User
    from syncer.models import Route, Target
    from tests.chaos import audit

    call_command("migrate", verbosity=0)
    audit.install()
    target = Target.objects.create(name="fakeapi", url=remote.url, timeout=2)
    fields = {"userId": "user_id", "title": "title", "body": "body"}
    Route.objects.create(
        target=target, model="news.Post", path="/posts", fields=fields, lookup=["title"], trigger="change"
    )
    user = User.objects.create_superuser("editor")
    api_key = ApiKey(user=user, name="editors", full_access=True, expires=timezone.now() + timedelta(days=1))
    whole = api_key.seal()
    api_key.save()
    return whole


def start(processes: Processes, node: Node) -> None:
    """Start the web server and the workers, each of which has its own folder, as on a host of its own."""
    processes.start(
        "web", servers.web_server(node), environment=node.environment, folder=ROOT, log=node.var / "web.log"
    )
    for host in HOSTS:
        folder = node.var / host
        folder.mkdir()
        environment = {**node.environment, "BACKOFFICE_VAR": str(folder), "PGAPPNAME": host}
        processes.start(host, command("worker"), environment=environment, folder=ROOT, log=node.var / f"{host}.log")
    servers.wait_until_ready(processes, [node])


def story(
    primary: replication.Server,
    standby: replication.Server,
    remote: Remote,
    processes: Processes,
    editors: list[Editor],
) -> None:
    """Let the primary die, promote the standby, then let a worker's host die; write all the while."""

    def write_on(what: str, condition: Callable[[], object] = lambda: True) -> None:
        before = sum(editor.writes for editor in editors)
        until(
            lambda: (
                any(editor.error for editor in editors)
                or (sum(editor.writes for editor in editors) >= before + STEP and condition())
            )
        )
        say(f"{time.monotonic() - began:5.1f} s  {what}")

    began = time.monotonic()
    until(lambda: len(claims()) == len(HOSTS))
    write_on("Both workers deliver what the editors write.")
    with remote.hold("POST", "/posts") as held:
        held.wait_arrived(60)
        primary.kill()
        say(f"{time.monotonic() - began:5.1f} s  The primary is killed; a create is on its way.")
    standby.ask("ALTER SYSTEM SET synchronous_standby_names = ''")
    standby.promote()
    say(f"{time.monotonic() - began:5.1f} s  The standby is the primary.")
    connections.close_all()
    until(is_stopped)
    say(f"{time.monotonic() - began:5.1f} s  The route stops: it can't know that nothing was lost.")
    call_command("sync_recover", "--nothing-lost")
    sent = len(remote.writes())
    write_on("sync_recover --nothing-lost: edits and deliveries go on.", lambda: len(remote.writes()) > sent)
    dead = next(one for one in processes.running if one.title == HOSTS[0])
    kill_group(dead.process.pid)
    processes.ended()
    sent = len(remote.writes())
    write_on(f"{HOSTS[0]} is killed; {HOSTS[1]} goes on alone.", lambda: len(remote.writes()) > sent + STEP)


def claims() -> dict[str, int]:
    """Return how many objects each worker has claimed, as the database saw it."""
    with connections["default"].cursor() as cursor:
        cursor.execute(CLAIMS)
        return dict(cursor.fetchall())


def is_stopped() -> bool:
    from syncer.models import Target

    return Target.objects.filter(blocked__contains="sync_recover").exists()


def judge(remote: Remote, editors: list[Editor]) -> list[str]:
    """Return what is wrong, once the target has been sent everything."""
    from content.news.models import Post
    from syncer.models import Target, backlog

    until(lambda: sum(one.undone for one in backlog.of_target(Target.objects.get())) == 0)
    posts = {post.title: post for post in Post.objects.all()}
    wrong = [f"{title}: there are {n}" for title, n in Counter(Post.objects.values_list("title")).items() if n > 1]
    for title, bodies in ((title, bodies) for editor in editors for title, bodies in editor.acknowledged.items()):
        post = posts.get(title)
        recorded = list(post.history.order_by("history_id").values_list("body", flat=True)) if post else []
        if recorded != bodies:
            wrong.append(f"{title}: acknowledged were {bodies}, the history has {recorded}")
    theirs = Counter((one["title"], one["body"]) for one in remote.posts.values())
    ours = Counter(Post.objects.values_list("title", "body"))
    return [*wrong, *(f"only here: {one}" for one in ours - theirs), *(f"only there: {one}" for one in theirs - ours)]


def report(editors: list[Editor]) -> None:
    writes, troubles = (sum(getattr(editor, name) for editor in editors) for name in ("writes", "troubles"))
    longest = max(editor.longest for editor in editors)
    say(f"{writes} writes were acknowledged; {troubles} answers did not; the longest wait was {longest:.1f} s.")
    say(f"Objects that each worker claimed: {claims()}")


if __name__ == "__main__":
    sys.exit(main())
