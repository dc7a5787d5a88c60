"""What people and programs do with this one: pages, commands, exports, the API."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.admin import site
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backoffice.accounts.models import User
from content.tasks.models import Item
from syncer.models import Attempt, Target
from tests.content.api_client import ApiClient
from tests.planted.echo import TO_WRITES, Echo, Said, everywhere, said, to_chat
from tests.planted.forms import FORMS
from tests.planted.planted import Planted

NAME = "administrator"


def use_the_api(planted: Planted) -> None:
    """Sign in with a password, make a key, use both; what is given to its owner is not listened to."""
    password = planted.word("a person's password")
    person = User.objects.create_superuser(NAME, password=password)
    anybody = Client(raise_request_exception=False)
    right = {"username": NAME, "password": password}
    tokens = anybody.post("/api/token/", right, content_type="application/json").json()
    renewed = anybody.post(
        "/api/token/refresh/", {"refresh": tokens["refresh"]}, content_type="application/json"
    ).json()
    for pair, words in ((tokens, "the {} token"), (renewed, "the next {} token")):
        planted.cores |= {words.format(kind): token.rpartition(".")[2] for kind, token in pair.items()}
    browser = Client()
    browser.post(reverse("admin:login"), right)
    planted.cores["the cookie of a session"] = browser.cookies[settings.SESSION_COOKIE_NAME].value
    api, ends = ApiClient(person), timezone.now() + timedelta(days=9)
    key = api.send(
        "POST", "/api/accounts/keys/", {"name": "R", "permissions": ["news.view_post"], "expires": str(ends)}
    )
    whole = key.json()["key"]
    planted.cores["an API key"] = whole[-16:]
    planted.get(api, "/api/accounts/keys/")
    planted.get(Client(headers={"Authorization": f"Bearer {whole}"}), "/api/news/posts/")
    planted.get(Client(headers={"Authorization": f"Bearer {whole}x"}), "/api/news/posts/", status=401)
    wrong = {"username": NAME, "password": f"{password}x"}
    planted.hear("a wrong password", anybody.post("/api/token/", wrong, content_type="application/json").content)
    planted.hear("a wrong sign-in", anybody.post(reverse("admin:login"), wrong).content)


def enrich(planted: Planted, settings: Any, server: Echo) -> None:
    """The external API and the summarizer send back what they are asked with: in records, lists, errors, a summary."""
    api, item = ApiClient(User.objects.get(username=NAME)), Item.objects.create(title="T", external_id="7")
    settings.TASKS_EXTERNAL_URL, settings.SUMMARIZER_URL = f"{server.url}/posts", f"{server.url}/v1"
    settings.TASKS_EXTERNAL_AUTHORIZATION, settings.SUMMARIZER_KEY = f"Bearer {server.secret}", server.secret
    settings.TASKS_RETRY_SECONDS = 0.01
    answers = [*map(said, FORMS), lambda secret: Said(200, {"id": 7, "said": everywhere(secret)}), *TO_WRITES.values()]
    for server.answer in [*answers, to_chat]:
        planted.hear("enrich", api.send("POST", f"/api/tasks/items/{item.pk}/enrich/", {}).content)
        planted.hear("summarize", api.send("POST", f"/api/tasks/items/{item.pk}/summarize/", {}).content)
        planted.hear("list", api.get("/api/tasks/external/posts/").content)


def configure(planted: Planted, folder: Path) -> None:
    """A secret that was pasted where a reference belongs is refused, and not repeated."""
    secret = planted.word("a pasted secret")
    file = folder / "pasted.toml"
    for url, reference in (("http://127.0.0.1", secret), (f"http://editor:{secret}@127.0.0.1", "env:SYNC_X")):
        file.write_text(f'[targets.pasted]\nurl = "{url}"\nauth = {{ type = "bearer", secret = "{reference}" }}\n')
        assert "nothing was written" in planted.command("sync_configure", str(file), "--json")


def look_at_everything(planted: Planted, settings: Any, *, attempts: int) -> None:
    """Every page, every command that tells something, an error page, the exports; `attempts` of several hundred."""
    browser = Client(raise_request_exception=False)
    browser.force_login(User.objects.get(username=NAME))
    planted.get(browser, reverse("admin:index"))
    for model in site._registry:
        planted.get(browser, reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
    for target in Target.objects.all():
        look_at_target(planted, browser, target)
    for attempt in Attempt.objects.order_by("answer")[:: max(1, Attempt.objects.count() // attempts)]:
        planted.get(browser, reverse("admin:syncer_attempt_change", args=[attempt.pk]))
        planted.get(browser, reverse("admin:syncer_binding_change", args=[attempt.binding_id]))
    for words in (["sync_status"], ["sync_status", "--json"], ["sync_recover", "--check"]):
        planted.command(*words)
    with attempts_away():
        for settings.DEBUG in (False, True):
            planted.get(browser, reverse("admin:syncer_attempt_changelist"), status=500)
    settings.DEBUG = False
    for name, columns in (("news_post", "postresource"), ("tasks_item", "itemresource")):
        for kind in range(3):
            form = {"format": kind, "resource": "", f"{columns}_id": "on", f"{columns}_title": "on"}
            answer: Any = browser.post(reverse(f"admin:{name}_export"), form)
            assert "attachment" in answer["Content-Disposition"]
            planted.hear(f"export {name} {kind}", answer.getvalue())


def look_at_target(planted: Planted, browser: Client, target: Target) -> None:
    for page in ("change", "preview"):
        planted.get(browser, reverse(f"admin:syncer_target_{page}", args=[target.pk]))
    planted.get(browser, reverse("admin:syncer_route_change", args=[target.routes.get().pk]))
    for run in target.runs.all()[:5]:
        planted.get(browser, reverse("admin:syncer_run_change", args=[run.pk]))
        for part in ("progress", "failures", "download"):
            planted.get(browser, reverse(f"admin:syncer_run_{part}", args=[run.pk]))
    for word in ("sync_now", "sync_retry", "sync_resolve"):
        planted.command(word, target.name, "--json")
    planted.command("sync_now", target.name, "--preview")


@contextmanager
def attempts_away() -> Iterator[None]:
    """Let every page of attempts fail."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE syncer_attempt RENAME TO elsewhere")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO syncer_attempt")
