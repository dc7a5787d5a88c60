"""List our files that one save in the admin enters on its way to the target.

Profiles the real request and then the real run, in this process: `python -m bench.save_to_put`.
"""

import os
import secrets
import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType

import django

from tools.nodes import LOOPBACK

ROOT = Path(__file__).resolve().parent.parent
OURS = tuple(str(ROOT / package) for package in ("backoffice", "content", "syncer"))


class Files:
    """Our files in which a function was called, in the order of the first call, `{file: function}`."""

    def __init__(self) -> None:
        self.entered: dict[str, str] = {}

    def _profile(self, frame: FrameType, event: str, _: object) -> None:
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(OURS) and frame.f_code.co_name != "<module>":
            self.entered.setdefault(file.removeprefix(f"{ROOT}/"), frame.f_code.co_qualname)

    def __enter__(self) -> "Files":
        threading.setprofile(self._profile)
        sys.setprofile(self._profile)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        threading.setprofile(None)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="backoffice-bench-") as var:
        os.environ |= {
            "BACKOFFICE_DOTENV": "",
            "BACKOFFICE_ENV": "development",
            "BACKOFFICE_VAR": var,
            "DJANGO_SETTINGS_MODULE": "backoffice.settings",
            "PRIVATE_NETWORKS": LOOPBACK,
            "SECRET_KEY": secrets.token_urlsafe(50),
            "LOG_LEVEL": "WARNING",
        }
        os.environ.pop("DATABASE_URL", None)
        django.setup()
        measure()


def measure() -> None:
    """Save a post in the admin, sync it, and print the files entered."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.test import Client
    from django.urls import reverse

    from content.news.models import Post
    from syncer.engine.runs import run_here, work_run
    from syncer.models import Route, Run, Target
    from tests.remote import Remote

    call_command("migrate", verbosity=0)
    with Remote() as remote:
        target = Target.objects.create(name="fakeapi", url=remote.url)
        fields = {"userId": "user_id", "title": "title", "body": "body"}
        Route.objects.create(target=target, model="news.Post", path="/posts", fields=fields, trigger="change")
        user = get_user_model().objects.create_superuser("editor", password="editor")
        client = Client(SERVER_NAME="localhost")
        client.force_login(user)
        post = Post.objects.create(title="A", body="B", user_id=1)
        run_here(target)
        number = next(iter(remote.posts))
        address = reverse("admin:news_post_change", args=[post.pk])
        client.get(address)
        form = {"title": "C", "body": "B", "user_id": 1, "comments-TOTAL_FORMS": 0, "comments-INITIAL_FORMS": 0}
        with Files() as request:
            answer = client.post(address, form)
        assert answer.status_code == 302, answer.content.decode()
        run = Run.objects.create(target=target, trigger=Run.Trigger.CHANGE)
        with Files() as worker:
            work_run(run.pk)
        assert remote.posts[number]["title"] == "C", remote.posts
    lines = []
    for title, files in (("request", request), ("worker", worker)):
        lines += [
            f"{title}: {len(files.entered)} files",
            *(f"  {file}  ({name})" for file, name in files.entered.items()),
        ]
    both = {*request.entered, *worker.entered}
    sys.stdout.write("\n".join([*lines, f"{len(both)} files in all", ""]))


if __name__ == "__main__":
    main()
