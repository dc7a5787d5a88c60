"""A node with something of everything that a page can show: content, targets, and objects that wait for a person."""

from typing import Any

from django.test import override_settings
from django_q.models import Failure

from backoffice.kit import clock
from backoffice.kit.jobs.models import Job
from content.messaging.models import Erasure
from content.news.models import Comment, Post
from content.orders.models import Order
from content.tasks.models import Item
from syncer.models import Binding, Route, Target
from tests.content.doors import content_models, fill
from tests.peers.fake_node import FakeNode
from tests.remote import Fault, Remote
from tests.syncer.conftest import sync
from tests.syncer.support import let_time_pass
from tests.syncer.targets.peer.conflicts.conftest import person
from tests.syncer.targets.peer.conflicts.support import CONTENT, MAY, MODEL, PACKER, edit, hand_in

FEW = 6  # objects of a model: a page of more takes longer and shows nothing else


def build(remote: Remote) -> None:
    """Fill an empty database, with a target at `remote`."""
    fill(*content_models())
    for model in (Order, Item):
        model.objects.exclude(pk__in=list(model.objects.values_list("pk", flat=True)[:FEW])).delete()
    Job.objects.create(title="Export posts", work="content.export", total=FEW)
    now = clock.now()
    Failure.objects.create(id="f" * 32, name="1", func="a.task", started=now, stopped=now, success=False, result="No")
    Erasure.objects.create(reason="Request 7", user_name="administrator")
    _target(remote)
    with override_settings(NODE="store"):
        conflict(ours={"quantity": 2}, theirs={"quantity": 3})


def _target(remote: Remote) -> None:
    """One object in sync, one rejected, one in doubt, and deletes that wait."""
    Comment.objects.all().delete()
    Post.objects.filter(pk__gt=Post.objects.order_by("pk")[FEW - 1].pk).delete()
    target = Target.objects.create(name="fakeapi", title="Fake API", url=remote.url, timeout=5)
    fields = {"userId": "user_id", "title": "title", "body": "body"}
    route = Route.objects.create(target=target, model="news.Post", path="/posts", fields=fields, lookup=[])
    Route.objects.create(
        target=target,
        model="news.Comment",
        path="/comments",
        fields={"postId": "post", "name": "name", "email": "email", "body": "body"},
        lookup=["postId", "email", "name"],
    )
    sync(target)
    Route.objects.filter(pk=route.pk).update(max_deletes=1)
    Post.objects.filter(pk__in=Post.objects.order_by("pk").values("pk")[:2]).delete()
    sync(target)
    remote.fault(Fault.RESET, method="POST", act=True)
    Post.objects.create(title="Did it arrive?", body="Nobody knows.")
    sync(target)
    let_time_pass()
    sync(target)
    remote.fault(Fault.STATUS, method="POST", status=400, times=None)
    post = Post.objects.create(title="Refused", body="The target does not take it.")
    Comment.objects.create(post=post, name="One", email="one@example.com", body="A comment.")
    sync(target)
    assert Binding.objects.filter(in_doubt=True).exists()
    assert Binding.objects.filter(rejected__isnull=False).exists()
    post.title = "Refused, then edited"
    post.save()


def conflict(*, ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    """Make an order that this node and a peer edited without knowing of each other; return its key."""
    account = person("peer-warehouse", "push_as_peer", *MAY)
    target = Target.objects.create(
        name="warehouse", kind="peer", url="http://127.0.0.1:9", peer_node="warehouse", peer_user=account
    )
    Route.objects.create(
        target=target, model=MODEL, trigger="change", authority=dict.fromkeys([*ours, "exists"], "ask")
    )
    node = FakeNode("warehouse")
    key = node.create(CONTENT)
    assert hand_in(target, node, key) == ["applied"]
    edit(key, person("editor", *MAY), reason="by phone", **ours)
    node.edit(key, by=PACKER, **theirs)
    assert hand_in(target, node, key) == ["conflict"]
    return key
