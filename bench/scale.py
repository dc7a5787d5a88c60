"""What more servers carry: `python -m bench.scale`. The figures are in docs/scaling.md.

A request's CPU time by the server that spends it, with a replica, and with PgBouncer in transaction mode where it is
installed; and the time in which one and two hosts of workers bring four targets in sync.
"""

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import requests

from backoffice.web.command import words
from bench.cpu import backend_cpu, family
from bench.push import FIELDS, remote
from bench.stage import POSTS
from tests import postgres, replication
from tests.chaos.stage import node_environment
from tests.flows.wait import until
from tools.lifeline import tied
from tools.nodes import ROOT, command
from tools.run import say
from tools.servers import free_port

ROUNDS, LISTS, CHANGES, ROWS = 5, 100, 50, 20_000
PATH = "/api/news/posts/"
TARGETS, OBJECTS, AT_ONCE, AWAY = 4, 200, 4, 0.05  # AWAY: seconds until a target answers
UNPOOLED = {"DATABASE_IDLE_SECONDS": "0", "DATABASE_WEB_STATEMENT_SECONDS": "0", "DATABASE_WEB_LOCK_SECONDS": "0"}
PGBOUNCER = """
[databases]
* = host=127.0.0.1 port={server} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
"""


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="backoffice-scale-") as name,
        replication.server(synchronous_commit="off", max_parallel_workers_per_gather="0") as primary,
        replication.standby(primary) as standby,
    ):
        var = Path(name)
        environment = node_environment("scale", postgres.address(primary.port), var, LOG_LEVEL="ERROR")
        os.environ.update(environment)
        reader, writer = build()
        measure_requests(primary, standby, environment, var, reader, writer)
        measure_workers(environment, var)


def build() -> tuple[str, str]:
    """Fill the database; return an API key that reads and one that writes."""
    import django
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    django.setup()
    from backoffice.accounts.models import ApiKey, User

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(POSTS.format(table="news_post", first=1, number=ROWS))
    user, whole = User.objects.create_superuser("scale"), []
    for permissions in (["news.view_post"], ["news.view_post", "news.change_post"]):
        key = ApiKey(user=user, name="scale", permissions=permissions, expires=timezone.now() + timedelta(days=1))
        whole.append(key.seal())
        key.save()
    return whole[0], whole[1]


def measure_requests(
    primary: replication.Server,
    standby: replication.Server,
    environment: Mapping[str, str],
    var: Path,
    reader: str,
    writer: str,
) -> None:
    """Let web servers that differ in their settings answer the same requests in turns."""
    with ExitStack() as stack:
        replica = {"DATABASE_REPLICA_URL": postgres.address(standby.port)}
        settings: dict[str, dict[str, str]] = {"alone": {}, "replica": replica}
        pids = {name: one.process.pid for name, one in {"primary": primary, "replica": standby}.items() if one.process}
        if shutil.which("pgbouncer"):
            port, process = stack.enter_context(pgbouncer(primary.port))
            settings["PgBouncer"] = {"DATABASE_URL": postgres.address(port), **UNPOOLED}
            pids["PgBouncer"] = process
        webs = {name: stack.enter_context(web({**environment, **more}, var)) for name, more in settings.items()}
        works = {
            "list": (reader, LISTS, "?limit=100"),
            "all": (reader, 2, "?all=true"),
            "change": (writer, CHANGES, ""),
        }
        found: dict[tuple[str, str], list[dict[str, float]]] = {}
        for _ in range(ROUNDS):
            for name, (address, pid) in webs.items():
                every = {**pids, "web": pid}
                for work, (key, number, query) in works.items():
                    found.setdefault((work, name), []).append(spent(every, number, f"{address}{PATH}", key, query))
    for (work, name), rounds in sorted(found.items()):
        medians = {server: statistics.median(one[server] for one in rounds) for server in rounds[0]}
        say(f"{work}, {name}: " + ", ".join(f"{server} {value:.2f}" for server, value in medians.items()))


def spent(pids: Mapping[str, int], number: int, path: str, key: str, query: str) -> dict[str, float]:
    """Return the milliseconds of CPU of each server, and those on the clock, for one of `number` requests.

    Without a `query`, each changes an object.
    """
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {key}"

    def ask(turn: int) -> None:
        if query:
            answer = session.get(f"{path}{query}", timeout=60)
        else:
            answer = session.patch(f"{path}{1 + turn}/", json={"title": f"Changed {time.time()}"}, timeout=60)
        answer.raise_for_status()

    for _ in range(4):  # the web server looks at its replica
        ask(0)
        time.sleep(0.2)
    before, began = {name: cpu(pid) for name, pid in pids.items()}, time.perf_counter()
    for turn in range(number):
        ask(turn)
    clock = time.perf_counter() - began
    costs = {name: 1000 * (cpu(pid) - before[name]) / number for name, pid in pids.items()}
    return costs | {"clock": 1000 * clock / number}


def cpu(pid: int) -> float:
    """Return the CPU seconds of a process and its descendants."""
    return sum(backend_cpu(one) for one in family(pid))


@contextmanager
def web(environment: Mapping[str, str], var: Path) -> Iterator[tuple[str, int]]:
    """Start a web server; yields its address and process."""
    port = free_port()
    arguments = words("--host", "127.0.0.1", "--port", str(port), "--workers", "1")
    address = f"http://127.0.0.1:{port}"
    with started(arguments, environment, var / "web.log") as process:
        until(lambda: is_ready(address))
        yield address, process.pid


def is_ready(address: str) -> bool:
    try:
        return requests.get(f"{address}/health/ready/", timeout=5).ok
    except requests.RequestException:
        return False


@contextmanager
def pgbouncer(server: int) -> Iterator[tuple[int, int]]:
    """Start a PgBouncer before the server at a port; yields its port and process."""
    port, who = free_port(), postgres.as_ordinary_user()
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as file:
        file.write(PGBOUNCER.format(server=server, port=port))
        file.flush()
        Path(file.name).chmod(0o644)
        process = subprocess.Popen(**tied([shutil.which("pgbouncer") or "", "-q", file.name], **who))
        try:
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def started(arguments: list[str], environment: Mapping[str, str], log: Path) -> "Iterator[subprocess.Popen[bytes]]":
    with log.open("ab") as output:
        process = subprocess.Popen(**tied(arguments), cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def measure_workers(environment: Mapping[str, str], var: Path) -> None:
    """Bring four targets in sync: by one worker process, and by one on each of two hosts."""
    from content.news.models import Post
    from syncer.models import Route, Target, backlog

    def work() -> float:
        Post.objects.update(title=f"Round {time.time()}")
        began = time.perf_counter()
        until(lambda: not any(one.undone for target in targets for one in backlog.of_target(target)))
        return time.perf_counter() - began

    Post.objects.filter(pk__gt=OBJECTS).delete()
    with remote(AWAY) as url, ExitStack() as stack:
        targets = [
            Target.objects.create(name=f"target-{number}", url=url, concurrency=AT_ONCE) for number in range(TARGETS)
        ]
        route = {"model": "news.Post", "path": "/posts", "fields": FIELDS, "existing": "create", "trigger": "change"}
        for target in targets:
            Route.objects.create(target=target, **route)
        for hosts in (1, 2):
            folder = var / f"host-{hosts}"
            folder.mkdir()
            settings = {**environment, "BACKOFFICE_WORKERS": "1", "BACKOFFICE_VAR": str(folder)}
            stack.enter_context(started(command("worker"), settings, folder / "log"))
            work()  # it has to start first
            say(f"hosts of workers: {hosts}; until in sync: {statistics.median(work() for _ in range(3)):.1f} s")


if __name__ == "__main__":
    main()
