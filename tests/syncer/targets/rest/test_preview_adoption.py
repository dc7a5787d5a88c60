"""The preview of a route that still adopts: how many records are there and equal, differ, or are created."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from content.news.models import Comment, Post
from syncer.models import Binding, Run, Target
from tests.content.pages import administrator, sign_in
from tests.remote import Fault
from tests.syncer.conftest import sync
from tests.syncer.support import requests

pytestmark = pytest.mark.django_db(transaction=True)
USER = 99999942


@pytest.fixture(autouse=True)
def adopting(target, remote):
    """Both sides have four posts, of which one differs; two are only here. The first has a comment at both sides."""
    target.routes.update(existing="adopt")
    posts = [Post.objects.create(title=f"T{number}", body="B") for number in range(6)]
    for number in range(4):
        remote.store.create("posts", {"userId": USER, "title": f"t{number} ", "body": "B" if number else "theirs"})
    for post in (posts[1], posts[5]):
        Comment.objects.create(post=post, name="N", email="n@example.com", body="B")
    remote.store.create("comments", {"postId": 2, "name": "N", "email": "N@Example.com", "body": "B"})
    return posts


def previewed(*words):
    """What `sync_now fakeapi --preview --json` prints, and its exit status."""
    out = StringIO()
    try:
        call_command("sync_now", "fakeapi", "--preview", "--json", *words, stdout=out)
    except SystemExit as error:
        return json.loads(out.getvalue()), error.code
    return json.loads(out.getvalue()), 0


def test_the_preview_says_how_many_of_each_and_asks_for_each_list_once(target, remote, adopting):
    answer, status = previewed()
    posts, comments = answer["there"]
    assert posts["text"] == (
        "Posts: 3 are there already and equal: nothing is sent; 1 is there and different, waiting for you; "
        "2 are created."
    )
    assert comments["text"] == (
        "Comments: 1 is there already and equal: nothing is sent; 1 is looked for once the parent's record is known."
    )
    names = ("equal", "overwritten", "differing", "created")
    numbers = [{name: one[name] for name in names} for one in (posts, comments)]
    assert numbers == [
        {"equal": 3, "overwritten": 0, "differing": 1, "created": 2},
        {"equal": 1, "overwritten": 0, "differing": 0, "created": 0},
    ]
    creates = [f"news.Post:{post.pk}" for post in adopting[4:]]
    assert [one["object"] for one in answer["planned"]][:2] == creates
    assert (len(answer["planned"]), status) == (3, 1)
    assert requests(remote) == [("GET", "/posts"), ("GET", "/comments")]


def test_it_is_what_the_sync_then_does_and_nothing_was_written(target, remote):
    before = Target.objects.values().get()
    answer, _ = previewed()
    assert [model.objects.count() for model in (Binding, Run)] == [0, 0]
    assert Target.objects.values().get() == before
    sync(target)
    posts = Binding.objects.filter(route__model="news.Post")
    created = [entry for entry in remote.writes() if entry.path == "/posts"]
    assert len(created) == answer["there"][0]["created"]
    assert posts.filter(in_doubt=True).count() == answer["there"][0]["differing"]
    remote.clear_journal()
    assert (previewed()[0]["there"], requests(remote)) == ([], []), "a route adopts once"


def test_a_route_that_overwrites_says_so(target, remote):
    target.routes.update(existing="overwrite")
    answer, _ = previewed()
    assert "1 is there and different: ours are sent" in answer["there"][0]["text"]


def test_a_route_that_does_not_look_asks_for_nothing(target, remote):
    target.routes.update(existing="create")
    answer, _ = previewed()
    assert (answer["there"], len(answer["planned"]), requests(remote)) == ([], 8, [])


def test_a_target_that_does_not_answer_is_named_and_the_rest_is_shown(target, remote):
    remote.fault(Fault.STATUS, status=503, times=None)
    answer, _ = previewed()
    text = "What it has of news.Post already is not known: Fake API answered 503"
    assert answer["there"][0]["text"].startswith(text)
    assert "equal" not in answer["there"][0]
    assert len(answer["planned"]) == 8


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"enabled": False}, "is paused"),
        ({"blocked": "its secret is wrong"}, "is blocked"),
        ({"not_before": "soon"}, "is rate limited"),
    ],
)
def test_a_target_that_is_not_to_be_asked_is_not_asked(target, remote, columns, why):
    soon = timezone.now() + timedelta(hours=1)
    Target.objects.update(**{name: soon if value == "soon" else value for name, value in columns.items()})
    answer, _ = previewed()
    assert answer["there"][0]["text"].endswith(f"is not known: Fake API {why}, and was not asked.")
    assert (len(answer["planned"]), requests(remote)) == (8, [])


def test_an_object_that_was_sent_already_is_not_looked_for(target, remote, adopting):
    route = target.routes.get(model="news.Post")
    Binding.objects.create(route=route, object_key=str(adopting[2].pk), wanted=1, create_body={"title": "T2"})
    Binding.objects.create(route=route, object_key=str(adopting[3].pk), wanted=1, look_first=True)
    answer, _ = previewed()
    assert answer["there"][0]["equal"] == 1


def test_the_page_says_it_too_and_that_it_asks(target, remote):
    page = administrator().get(reverse("admin:syncer_target_preview", args=[target.pk])).content.decode()
    assert "Posts: 3 are there already and equal: nothing is sent" in page
    assert "For this page, Fake API is asked for its lists." in page
    assert "A sync would send 3 changes" in page


def test_the_page_of_a_target_that_holds_it_all_sends_nothing(target, remote, adopting):
    Post.objects.exclude(pk__in=[post.pk for post in adopting[1:4]]).delete()
    page = administrator().get(reverse("admin:syncer_target_preview", args=[target.pk])).content.decode()
    assert "A sync would send nothing" in page


def test_what_the_target_answered_is_not_quoted_to_whoever_may_not_read_posts(target, remote):
    remote.fault(Fault.STATUS, status=503, times=None, body={"title": "private-words"})
    page = sign_in("syncer.sync_target").get(reverse("admin:syncer_target_preview", args=[target.pk]))
    assert "answered 503" in page.content.decode()
    assert "private-words" not in page.content.decode()


def test_the_command_says_it_in_words(target, remote):
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("sync_now", "fakeapi", "--preview", stdout=out)
    assert out.getvalue().startswith("What is there already, by its lists:\nPosts: 3 are there")
