"""*Try it*: the whole trial, which writes nothing."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from content.news.models import Comment, Post
from syncer.models import Attempt, Binding, Route, Run, Target
from tests.content.pages import administrator, sign_in
from tests.remote import Bearer, Fault
from tests.syncer.support import requests


def page_of(target: Target) -> str:
    return reverse("admin:syncer_target_try", args=[target.pk])


@pytest.fixture
def both(target, remote):
    """A post with a comment here; a post there. The journal is empty."""
    post = Post.objects.create(title="A", body="ours")
    Comment.objects.create(post=post, name="N", email="n@example.com", body="B")
    remote.store.create("posts", {"userId": 1, "title": "T", "body": "theirs"})
    return post


def tried(*words: str) -> tuple[dict[str, Any], int]:
    out = StringIO()
    try:
        call_command("sync_try", "fakeapi", *words, "--json", stdout=out)
    except SystemExit as error:
        return json.loads(out.getvalue()), int(error.code or 0)
    return json.loads(out.getvalue()), 0


@pytest.mark.django_db(transaction=True)
class TestTrial:
    def test_the_button_alone_asks_for_nothing(self, target, remote, both):
        client = administrator()
        page = client.get(reverse("admin:syncer_target_change", args=[target.pk])).content.decode()
        assert page_of(target) in page
        assert "Nothing is written, there or here." in client.get(page_of(target)).content.decode()
        assert requests(remote) == []

    def test_the_page_shows_findings_our_request_and_their_record(self, target, remote, both):
        target.routes.filter(model="news.Post").update(fields={"userId": "user_id", "titel": "title", "body": "body"})
        page = administrator().post(page_of(target)).content.decode()
        assert requests(remote) == [("GET", "/posts"), ("GET", "/comments")]
        assert "Something looks wrong" in page
        for text in (
            "It does not show the field &#x27;titel&#x27;",
            f"POST {target.url}/posts",
            "Idempotency-Key: (a new one for each create)",
            "&quot;titel&quot;: &quot;A&quot;",
            "&quot;title&quot;: &quot;T&quot;",
            "(its parent&#x27;s id)",
            f"{reverse('admin:syncer_route_change', args=[target.routes.first().pk])}#id_fields",
        ):
            assert text in page

    def test_it_writes_nothing_and_works_for_what_is_off(self, target, remote, both):
        target.routes.update(enabled=False)
        Target.objects.update(enabled=False)
        before = Target.objects.values().get()
        answer, status = tried()
        assert status == 0
        assert [one["severity"] for one in answer["findings"]] == ["note"]
        assert answer["routes"][0]["findings"][0]["text"].startswith("This route is disabled")
        assert remote.writes() == []
        assert [model.objects.count() for model in (Binding, Run, Attempt)] == [0, 0, 0]
        assert Target.objects.values().get() == before

    def test_an_object_with_a_record_is_shown_as_its_update(self, target, synced, remote):
        target.routes.update(update="PATCH")
        Post.objects.update(title="C")
        request = tried()[0]["routes"][0]["request"]
        assert request.startswith(f"PATCH {target.url}/posts/1\n")
        assert json.loads(request.partition("\n\n")[2]) == {"title": "C"}

    def test_the_secret_is_hidden_and_the_targets_own_headers_are_shown(self, target, remote, both, monkeypatch):
        monkeypatch.setenv("SYNC_SECRET", "s3cret-token")
        Target.objects.update(auth="bearer", auth_secret="env:SYNC_SECRET", headers={"X-Tenant": "t"})
        remote.require(Bearer("s3cret-token"))
        remote.store.create("comments", {"name": "s3cret-token"})
        answer, _ = tried()
        assert "Authorization: Bearer ***" in answer["routes"][0]["request"]
        assert "X-Tenant: t" in answer["routes"][0]["request"]
        assert "s3cret-token" not in json.dumps(answer)
        assert "theirs" in answer["routes"][0]["record"]

    def test_a_sign_in_that_does_not_work_is_said_and_nothing_is_asked(self, target, remote, both):
        Target.objects.update(auth="bearer", auth_secret="env:SYNC_NONE")
        answer, status = tried()
        assert status == 1
        assert [one["column"] for one in answer["findings"]] == ["auth"]
        assert "The sign-in does not work: Fake API needs a secret that is not there" in answer["findings"][0]["text"]
        assert requests(remote) == []

    def test_an_unanswered_list_is_bounded_and_the_next_route_is_tried(self, target, remote, both):
        remote.fault(Fault.RESET, act=False, path="/posts")
        answer, status = tried()
        assert status == 1
        first, second = answer["routes"]
        assert "Its list was not read: the target closed the connection" in first["findings"][0]["text"]
        assert (first["record"], second["findings"][0]["severity"]) == (None, "note")

    def test_an_object_that_can_not_be_sent_says_why(self, target, remote, both):
        Route.objects.filter(model="news.Post").update(formats={"title": "date"})
        answer, status = tried()
        assert status == 1
        assert "can't be sent: 'title' can't be sent as 'date'" in json.dumps(answer["routes"][0]["findings"])

    def test_the_command_says_it_in_words(self, target, remote, both):
        target.routes.filter(model="news.Post").update(id_field="uid")
        out = StringIO()
        with pytest.raises(SystemExit):
            call_command("sync_try", "fakeapi", stdout=out)
        text = out.getvalue()
        assert "  looks wrong: A record has no readable 'uid'; it has 'id': set 'id' to that." in text
        assert f"    POST {target.url}/posts" in text
        assert '      "body": "theirs"' in text

    def test_a_trial_needs_the_permission_to_sync(self, target, remote, both):
        client = sign_in("syncer.view_target")
        assert client.get(page_of(target)).status_code == 200
        assert client.post(page_of(target)).status_code == 403
        assert sign_in("news.view_post", name="other").get(page_of(target)).status_code == 403
        assert requests(remote) == []

    def test_whoever_may_not_view_posts_sees_neither_ours_nor_theirs(self, target, remote, both):
        page = sign_in("syncer.sync_target").post(page_of(target)).content.decode()
        assert "You need the permission news.view_post to view posts." in page
        for words in ("ours", "theirs"):
            assert f"&quot;{words}&quot;" not in page

    def test_a_peer_has_no_trial(self, target):
        Target.objects.update(kind="peer", peer_node="there")
        assert administrator().post(page_of(target)).status_code == 404
        with pytest.raises(CommandError, match="can't be tried so"):
            call_command("sync_try", "fakeapi")

    def test_a_target_without_a_route_is_not_asked(self, target, remote):
        target.routes.all().delete()
        answer, status = tried()
        assert (status, requests(remote)) == (1, [])
        assert answer["findings"][0]["text"] == "Fake API has no route yet: add one."
