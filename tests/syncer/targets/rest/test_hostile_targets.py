"""A target whose answers mean harm stops no more than its own object, and no run ends by an error of the program."""

import pytest
from django.utils import timezone

from content.news.models import Post
from syncer.core.state import State, facts_of, state_of
from syncer.models import Binding
from tests.backoffice.raw_server import raw_server, says
from tests.remote import Fault
from tests.syncer.conftest import sync
from tests.syncer.support import binding_of, let_time_pass

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def paged(target):
    target.routes.update(items_field="items", next_field="next")
    return target


@pytest.mark.parametrize(
    ("following", "why"),
    [
        ("\ud800", "an unpaired surrogate"),
        ("/posts\ud800", "an unpaired surrogate"),
        ("http://[", "whose address is not valid"),
        ("http://[::1]]/", "named a next page"),  # an address on another host, and none since Python 3.14
        ("//elsewhere.example/posts", "on another host"),
        ("http://127.0.0.1@elsewhere.example/", "on another host"),
        ("http://127.0.0.1:1/posts", "on another host"),
        ("http://{here}\\@elsewhere.example/", "on another host"),
        ("http://{here}.elsewhere.example/", "whose address is not valid"),
    ],
)
def test_a_next_page_that_leads_astray_is_not_asked_for(remote, paged, post, following, why):
    remote.fault(Fault.STATUS, method="POST", status=500)
    sync(paged)
    let_time_pass()
    here = remote.url.removeprefix("http://")
    body = {"items": [], "next": following.replace("{here}", here)}
    remote.fault(Fault.STATUS, method="GET", status=200, body=body)
    sync(paged)
    assert state_of(facts_of(binding_of(post), timezone.now())) is State.REJECTED
    assert why in binding_of(post).reason
    assert [entry.path for entry in remote.journal] == ["/posts", "/posts"]


@pytest.mark.parametrize("remote_id", ["\ud800", ".", "..", "", 1e999, True, None, [1], "x" * 300, 10**300])
def test_an_id_that_can_not_be_one_leaves_the_create_unanswered_and_stops_no_other(remote, target, post, remote_id):
    first = {"where": lambda body: body["title"] == "A"}
    remote.fault(Fault.STATUS, method="POST", status=201, body={"id": remote_id}, **first)
    other = Post.objects.create(title="B", body="B")
    target.concurrency = 1
    target.save()
    sync(target)
    assert [state_of(facts_of(binding_of(one), timezone.now())) for one in (post, other)] == [
        State.RETRYING,
        State.IN_SYNC,
    ]
    assert Binding.objects.filter(remote_id__isnull=False).count() == 1


@pytest.mark.parametrize("remote_id", ["../x", "a/b?c#d", "a\0b", "%2e%2e", " ", "ü", 0, -1, 10**30])
def test_an_odd_id_is_one_part_of_an_address(remote, target, post, remote_id):
    remote.fault(Fault.STATUS, method="POST", status=201, body={"id": remote_id})
    sync(target)
    post.delete()
    remote.clear_journal()
    sync(target)
    entry = remote.journal[0]
    assert entry.method == "DELETE"
    assert entry.path.count("/") == 2
    assert entry.path.startswith("/posts/")


def test_lists_in_lists_without_end_are_no_error_of_the_program(target, post):
    content = b"[" * 1_000_000
    head = b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n" % len(content)
    with raw_server(says(head, content)) as server:
        target.url = server.url
        target.save()
        assert "sent an answer that is not JSON" in sync(target).message
    assert state_of(facts_of(binding_of(post), timezone.now())) is State.RETRYING
