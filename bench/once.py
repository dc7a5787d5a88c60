"""Works that have a process of their own: what they take, and the most memory that they need.

`Once(…).run("import", …)` starts `python -m bench.once import …`, whose last line is the JSON of a `Spent`.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.cpu import backend_cpu, peak_memory
from tools.lifeline import tied
from tools.nodes import ROOT


@dataclass
class Spent:
    """Seconds of CPU, with the backend's, seconds on the clock, and the bytes that the process had at most."""

    cpu: float = 0.0
    clock: float = 0.0
    peak: int = 0


class Once:
    """Runs works in processes of their own, and adds up what they took."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.total = Spent()

    def cpu(self) -> float:
        return self.total.cpu

    def clock(self) -> float:
        return self.total.clock

    def run(self, work: str, *words: str) -> Spent:
        """Run a work to its end.

        Raises:
            RuntimeError: it failed; the message is its output.
        """
        command = [sys.executable, "-m", "bench.once", work, *words]
        process = subprocess.run(**tied(command), cwd=ROOT, env=self.environment, capture_output=True, text=True)
        if process.returncode:
            raise RuntimeError(f"{work} failed:\n{process.stdout}{process.stderr}")
        spent = Spent(**json.loads(process.stdout.splitlines()[-1]))
        self.total = Spent(self.total.cpu + spent.cpu, self.total.clock + spent.clock, spent.peak)
        return spent


def main() -> None:
    import django
    from django.db import connection

    django.setup()
    work, *words = sys.argv[1:]
    connection.ensure_connection()
    backend: int = connection.connection.info.backend_pid
    cpu, clock = time.process_time() + backend_cpu(backend), time.perf_counter()
    WORKS[work](*words)
    spent = Spent(
        cpu=time.process_time() + backend_cpu(backend) - cpu,
        clock=time.perf_counter() - clock,
        peak=peak_memory(),
    )
    sys.stdout.write(f"\n{json.dumps(asdict(spent))}\n")


def import_file(resource: str, file: str) -> None:
    """Import a CSV file by django-import-export's command."""
    from django.core.management import call_command

    call_command("import", resource, file, interactive=False, raise_errors=True)


def plan_all() -> None:
    """Plan every post of the only route."""
    from syncer.engine.plan import plan
    from syncer.models import Route
    from syncer.models.routemap import RouteMap

    route = Route.objects.get()
    plan(RouteMap(route.target), route)


def export_posts() -> None:
    """Export all posts as CSV from the admin, as a person does, and do the job that this starts."""
    from django.test import Client

    from backoffice.kit.jobs.models import Job
    from backoffice.kit.jobs.service import work

    client = signed_in(Client(SERVER_NAME="localhost"))
    fields = ("id", "user_id", "title", "body")
    form = {"format": "0", "resource": "", **{f"postresource_{name}": "on" for name in fields}}
    answer = client.post("/admin/news/post/export/", form)
    assert answer.status_code in (200, 302), answer.content.decode()[:2000]
    job = Job.objects.get()
    work(str(job.pk))
    job.refresh_from_db()
    assert job.state == Job.State.DONE, job.error or job.state


def stream_posts() -> None:
    """Read the list of all posts by the API."""
    from django.test import Client

    client = signed_in(Client(SERVER_NAME="localhost"))
    answer = client.get("/api/news/posts/?all=true")
    assert answer.status_code == 200
    chunks: Iterable[bytes] = answer.streaming_content
    assert sum(map(len, chunks)) > 0


def signed_in(client: Any) -> Any:
    from django.contrib.auth import get_user_model

    user = get_user_model().objects.get(username="admin")
    client.force_login(user)
    return client


WORKS: dict[str, Callable[..., None]] = {
    "import": import_file,
    "plan": plan_all,
    "export": export_posts,
    "stream": stream_posts,
}


def posts_file(folder: Path, rows: int) -> str:
    """Write a CSV file of new posts; return its path."""
    file = folder / f"posts-{rows}.csv"
    if not file.exists():
        with file.open("w") as out:
            out.write("id,user_id,title,body\n")
            for number in range(rows):
                out.write(f",{1 + number % 1000},Post {number} of a file,Some words of a post about what we sell\n")
    return str(file)


if __name__ == "__main__":
    main()
