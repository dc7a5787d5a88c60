"""Make a day of edits at one node, sync them, and prove that the other end holds the same."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import requests

from content.base.models import ContentModel
from content.news.models import Comment, Post
from syncer.engine.runs import run_here
from syncer.models import Binding, Run, Target
from tools.nodes import REMOTE_USER
from tools.run import say

MODELS: dict[type[ContentModel], str] = {Post: "/api/news/posts/", Comment: "/api/news/comments/"}
FIELDS: dict[type[ContentModel], tuple[str, ...]] = {
    Post: ("user_id", "title", "body"),
    Comment: ("post", "name", "email", "body"),
}
SHOWN = 20  # differences


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """Some of the day's edits, and the requests that their net change needs, `{"POST": 3}`."""

    title: str
    edit: Callable[[], object]
    needs: dict[str, int]


def run_day(*, remote_address: str, password: str) -> bool:
    """Sync, edit, sync again, compare; return whether both ends are equal and every request was needed."""
    target = Target.objects.get(name="demo")
    say("First sync …")
    first = run_here(target)
    say(f"  {first.message} {first.counts['requests']} requests.")
    say("A day of edits, and then sync now …\n")
    edited = [(chapter, rows_written(chapter.edit)) for chapter in day()]
    second = run_here(target)
    is_needed = table(second, edited)
    differences = [text for model in MODELS for text in compare(model, remote_address, password)]
    for text in differences[:SHOWN]:
        say(text)
    if not differences:
        numbers = f"{Post.objects.count()} posts, {Comment.objects.count()} comments"
        say(f"\nBoth ends are equal, record by record: {numbers}.")
    return first.state == second.state == Run.State.DONE and is_needed and not differences


def day() -> Iterator[Chapter]:
    """Yield the chapters of the day; no two edit the same object."""
    posts = list(Post.objects.order_by("pk")[:4])
    comment = Comment.objects.exclude(post__in=posts).order_by("pk")[0]
    of_deleted = posts[2].comments.count()
    yield Chapter(title="3 posts created", edit=create_posts, needs={"POST": 3})
    yield Chapter(title="A post edited 5 times", edit=lambda: retitle(posts[0], "abcde"), needs={"PUT": 1})
    yield Chapter(title="An edit and its undo", edit=lambda: edit_and_undo(posts[1]), needs={})
    yield Chapter(title="A post created, edited, deleted", edit=create_and_delete, needs={})
    yield Chapter(
        title=f"A post deleted with its {of_deleted} comments", edit=posts[2].delete, needs={"DELETE": of_deleted + 1}
    )
    yield Chapter(title="A new post with 2 comments", edit=create_with_comments, needs={"POST": 3})
    yield Chapter(title="A comment moved to another post", edit=lambda: move(comment, posts[3]), needs={"PUT": 1})


def create_posts() -> None:
    for number in range(3):
        Post.objects.create(title=f"Created {number}", body="Made on the editing day.")


def retitle(post: Post, letters: str) -> None:
    for letter in letters:
        post.title = f"Edited {letter}"
        post.save()


def edit_and_undo(post: Post) -> None:
    title = post.title
    retitle(post, "x")
    post.title = title
    post.save()


def create_and_delete() -> None:
    post = Post.objects.create(title="Short-lived", body="Nobody else will see this.")
    retitle(post, "y")
    post.delete()


def create_with_comments() -> None:
    post = Post.objects.create(title="Discussed", body="A post that gets comments at once.")
    for number in range(2):
        Comment.objects.create(post=post, name=f"Remark {number}", email="reader@example.com", body="Well said.")


def move(comment: Comment, post: Post) -> None:
    comment.post = post
    comment.save()


def rows_written(edit: Callable[[], object]) -> list[tuple[str, str]]:
    """Make some edits; return the object of each history row that they wrote, `("news.Post", "5")`."""
    last = {model: newest(model) for model in MODELS}
    edit()
    return [
        (model._meta.label, str(pk))
        for model in MODELS
        for pk in model.history.filter(history_id__gt=last[model]).values_list("id", flat=True)
    ]


def newest(model: type[ContentModel]) -> int:
    row = model.history.order_by("history_id").last()
    return 0 if row is None else row.history_id


def table(run: Run, edited: list[tuple[Chapter, list[tuple[str, str]]]]) -> bool:
    """Print edits against requests; return whether each chapter sent just the requests that its net change needed."""
    sent = list(run.attempts.values_list("binding__route__model", "binding__object_key", "method"))
    line = "{:38} {:>6}   {:16} {}".format
    say(line("edits", "saves", "requests needed", "sent"))
    is_needed = True
    for chapter, rows in edited:
        requests_ = Counter(method for model, key, method in sent if (model, key) in rows)
        is_needed &= requests_ == chapter.needs
        say(line(chapter.title, len(rows), words(chapter.needs), words(requests_)))
    needed = sum(sum(chapter.needs.values()) for chapter, _ in edited)
    say(line("together", sum(len(rows) for _, rows in edited), str(needed), str(len(sent))))
    return is_needed and len(sent) == needed


def words(requests_: dict[str, int]) -> str:
    return ", ".join(f"{number} {method}" for method, number in requests_.items()) or "none"


def compare(model: type[ContentModel], address: str, password: str) -> Iterator[str]:
    """Yield every difference between our objects and the remote's records, as a sentence."""
    label, ids, posts = model._meta.label, remote_ids(model), remote_ids(Post)
    headers = sign_in(address, REMOTE_USER, password)
    theirs = {record["id"]: record for record in records(address, MODELS[model], headers)}
    for row in model._default_manager.values("pk", *FIELDS[model]):
        record = theirs.pop(ids.get(row["pk"]), None)
        ours = {name: posts.get(row[name]) if name == "post" else row[name] for name in FIELDS[model]}
        if record is None:
            yield f"{label} {row['pk']} is not at the remote."
        elif differs := [name for name in ours if ours[name] != record[name]]:
            yield f"{label} {row['pk']} differs at the remote: {', '.join(differs)}."
    yield from (f"The remote has a record {remote_id} of {label} that we don't have." for remote_id in theirs)


def remote_ids(model: type[ContentModel]) -> dict[int, int]:
    """Return the remote's id by ours."""
    rows = Binding.objects.filter(route__model=model._meta.label, remote_id__isnull=False)
    return {int(key): int(str(remote_id)) for key, remote_id in rows.values_list("object_key", "remote_id")}


def sign_in(address: str, user: str, password: str) -> dict[str, str]:
    """Return the headers that sign in to the API."""
    credentials = {"username": user, "password": password}
    answer = requests.post(f"{address}/api/token/", json=credentials, timeout=10)
    return {"Authorization": f"Bearer {answer.json()['access']}"}


def records(address: str, path: str, headers: dict[str, str]) -> list[dict[str, Any]]:
    """Return all records of an API's list."""
    answer = requests.get(f"{address}{path}", params={"all": "true"}, headers=headers, timeout=30)
    answer.raise_for_status()
    rows: list[dict[str, Any]] = answer.json()
    return rows
