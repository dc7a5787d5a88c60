"""Both ends, compared by the objects' marks: what each target should hold by our rows, and what it does hold."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from content.news.models import Comment, Post
from syncer.models import Binding, Route, Target
from tests.chaos.marks import mark_in, mark_of
from tests.remote import Remote

Records = dict[str, dict[str, Any]]  # by mark


@dataclass(kw_only=True)
class Difference:
    """One object that is not the same at both ends; `binding` is None where there is none."""

    text: str
    binding: int | None = None


@dataclass(kw_only=True)
class Compared:
    """How many objects were the same, which were not, and which have several records."""

    equal: int = 0
    different: list[Difference] = field(default_factory=list)
    doubled: list[Difference] = field(default_factory=list)


def compare(target: Target, remote: Remote) -> Compared:
    """Every post and comment, field by field; a comment names its post by the id that the post's record has."""
    found = Compared()
    routes = {route.model: route for route in target.routes.all()}
    posts = Post.objects.filter(**routes["news.Post"].filter)
    ours: Records = {mark_in({"title": one.title}): payload(routes["news.Post"], one) for one in posts}
    theirs = _compare(found, routes["news.Post"], ours, remote)
    ids = {mark: record["id"] for mark, record in theirs.items()}
    comments = Comment.objects.filter(post__in=posts).select_related("post")
    ours = {
        mark_in({"name": one.name}): payload(routes["news.Comment"], one)
        | {"postId": ids.get(mark_in({"title": one.post.title}))}
        for one in comments
    }
    _compare(found, routes["news.Comment"], ours, remote)
    return found


def payload(route: Route, obj: Post | Comment) -> dict[str, Any]:
    return {name: getattr(obj, column) for name, column in route.fields.items() if column != "post"}


def _compare(found: Compared, route: Route, ours: Records, remote: Remote) -> Records:
    records = list(remote.records(route.path).values())
    counted = Counter(map(mark_in, records))
    theirs = {mark_in(record): record for record in records}
    keys = Binding.objects.filter(route=route).values_list("object_key", "pk")
    bindings = {mark_of(route.model, int(key)): pk for key, pk in keys}
    for mark, number in counted.items():
        if number > 1:
            text = f"{remote.url}{route.path}: {mark} has {number} records"
            found.doubled.append(Difference(text=text, binding=bindings.get(mark)))
    for mark in sorted(ours.keys() | theirs.keys()):
        record = {name: value for name, value in theirs.get(mark, {}).items() if name != "id"}
        if record == ours.get(mark, {}):
            found.equal += 1
        else:
            text = f"{route}: {mark} is {ours.get(mark)} here and {record or None} there"
            found.different.append(Difference(text=text, binding=bindings.get(mark)))
    return theirs
