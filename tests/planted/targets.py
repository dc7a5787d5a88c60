"""Targets that send back what they are signed in to with: each answer, to each action."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from content.news.models import Post
from syncer.engine.runs import run_here
from syncer.models import Route, Run, Target
from tests.planted.echo import TO_LISTS, TO_SIGN_IN, TO_WRITES, Answer, Echo, Said, everywhere, said
from tests.planted.forms import FORMS
from tests.planted.planted import Planted
from tests.syncer.support import let_time_pass
from tools.servers import free_port

SIGN_INS: dict[str, dict[str, str]] = {
    "basic": {"auth": "basic", "auth_user": "editor"},
    "bearer": {"auth": "bearer"},
    "header": {"auth": "header", "auth_header": "X-Api-Key"},
    "jwt": {"auth": "jwt", "auth_user": "editor", "auth_url": "/token/"},
    "oauth2": {"auth": "oauth2", "auth_user": "client", "auth_url": "/token/"},
    "short": {"auth": "bearer"},
}
SHORT = "Zq~7!"  # not told from other text in ids and records; hidden all the same
IN_IDS = ("as the id", "in the id, in base64", "as an id")


def target_for(kind: str, url: str, secret: str, *, folder: Path, environment: Any) -> Target:
    """A target that signs in by `kind`; the secrets of two of them lie in files."""
    reference = f"env:SYNC_{kind.upper()}"
    if kind in ("bearer", "jwt"):
        (folder / kind).write_text(f"{secret}\n")
        reference = f"file:{folder}/{kind}"
    else:
        environment.setenv(reference.removeprefix("env:"), secret)
    target = Target(name=kind, url=url, timeout=5, auth_secret=reference, **SIGN_INS[kind])
    target.full_clean()
    target.save()
    Route.objects.create(
        target=target,
        model="news.Post",
        path="/posts",
        fields={"userId": "user_id", "title": "title", "body": "body"},
        lookup=["title"],
        existing="create",
        items_field="items",
        next_field="next",
    )
    return target


def go_through(planted: Planted, target: Target, server: Echo) -> None:
    """Everything that can come from a target, and what comes where there is none."""
    is_short = server.secret == SHORT
    if not Post.objects.exists():
        server.answer = lambda secret: Said(200, {"items": [{"id": 7, "title": secret, "userId": 1, "body": "B"}]})
        assert "our own secret" in planted.command("sync_import", target.name)
    refuse_in_each_form(target, server)
    create(target, server, _fitting(TO_WRITES, is_short=is_short))
    look_up(target, server, _fitting(TO_LISTS, is_short=is_short))
    update_and_delete(target, server)
    if target.auth in (Target.Auth.JWT, Target.Auth.OAUTH2):
        for server.token_answer in TO_SIGN_IN.values():
            sync(target, post())
        server.token_answer = None
    for url in (f"http://127.0.0.1:{free_port()}", server.url.replace("http:", "https:"), server.url):
        Target.objects.filter(pk=target.pk).update(url=url)
        target.refresh_from_db()
        sync(target, post())


def _fitting(answers: Mapping[str, Answer], *, is_short: bool) -> dict[str, Answer]:
    return {name: answer for name, answer in answers.items() if not (is_short and name in IN_IDS)}


def refuse_in_each_form(target: Target, server: Echo) -> None:
    answers = iter([said(form) for form in FORMS])
    server.answer = lambda secret: next(answers)(secret)
    run = sync(target, *(post() for _ in FORMS))
    assert not list(answers), (target, run.message, run.counts)


def create(target: Target, server: Echo, answers: Mapping[str, Answer]) -> None:
    for name, server.answer in answers.items():
        asked(server, target, post(name))


def look_up(target: Target, server: Echo, answers: Mapping[str, Answer]) -> None:
    """A create is not answered, and is looked for."""
    for name, answer in answers.items():
        lost = post(f"lost: {name}")
        for server.answer in (TO_WRITES["an error"], answer):
            asked(server, target, lost)


def update_and_delete(target: Target, server: Echo) -> None:
    known = post("known")
    server.answer = lambda secret: Said(201, {"id": 1000 + target.pk, "said": everywhere(secret)})
    asked(server, target, known)
    for name in ("an error", "forbidden", "a page", "long"):
        server.answer = TO_WRITES[name]
        known.title += "!"
        known.save()
        asked(server, target, known)
    pk = known.pk
    known.delete()
    asked(server, target, Post(pk=pk))


def asked(server: Echo, target: Target, one: Post) -> None:
    """Sync one post, and see that the server had something to say to it."""
    before = server.asked
    run = sync(target, one)
    assert server.asked > before, (target, run.message)


def sync(target: Target, *posts: Post) -> Run:
    """One sync of these posts, as if all waits were over."""
    recover(target)
    return run_here(target, scope={"news.Post": [str(one.pk) for one in posts]})


def recover(target: Target) -> None:
    """As if all waits were over, and the target well."""
    let_time_pass()
    Target.objects.filter(pk=target.pk).update(opened_at=None, failures=0, probe_at=None, not_before=None, blocked="")


def post(title: str = "T") -> Post:
    return Post.objects.create(user_id=1, title=title, body="B")
