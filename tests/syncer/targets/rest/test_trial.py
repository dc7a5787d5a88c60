"""*Try it*: what one page of a list says of the route, and the whole trial, which writes nothing."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from content.news.models import Comment, Post
from syncer.core.answers import Answers
from syncer.core.decide import Terms
from syncer.core.outcome import Exchange, Silence
from syncer.models import Attempt, Binding, Route, Run, Target
from syncer.targets.base import Severity
from syncer.targets.rest.endpoint import Endpoint
from syncer.targets.rest.trial import judge
from tests.content.pages import administrator, sign_in
from tests.remote import Bearer, Fault
from tests.syncer.support import requests

POST: dict[str, Any] = {"id": 1, "title": "A", "body": "B"}


def endpoint(**columns: Any) -> Endpoint:
    names = {"id": "id", "items": "", "names": frozenset({"title", "body"})}
    answers = Answers(**{name: columns.pop(name, value) for name, value in names.items()})
    return Endpoint(
        url="https://api.example.com", terms=Terms(path="/posts", lookup=("title",)), answers=answers, **columns
    )


def listed(answer: Any = None, *, status: int = 200, body: bytes | None = None, **headers: str) -> Exchange:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Exchange(status=status, body=json.dumps(answer).encode() if body is None else body, headers=named)


def posts(count: int, **fields: Any) -> list[dict[str, Any]]:
    return [{**POST, **fields, "id": number} for number in range(1, count + 1)]


def without(*names: str, **fields: Any) -> list[dict[str, Any]]:
    return [{name: value for name, value in {**POST, **fields}.items() if name not in names}]


@pytest.mark.parametrize(
    ("exchange", "columns", "text", "column"),
    [
        (listed(without("id", _id="a5")), {}, "has no readable 'id'; it has '_id': set 'id' to that", "id_field"),
        (listed([{"name": "x", "title": "A", "body": "B"}]), {}, "it has: name, title, body", "id_field"),
        (listed([{"attributes": {"id": 5}, **without("id")[0]}]), {}, "it has 'attributes.id'", "id_field"),
        (listed([*posts(2), *without("id")]), {}, "1 of 3 records has no readable 'id'", "id_field"),
        (listed([POST, POST]), {}, "Several of its records have the same 'id'", "id_field"),
        (listed({"data": posts(2)}), {}, "its records are under 'data': set 'items' to that", "items_field"),
        (listed({"tags": ["a"], "result": {"rows": posts(1)}}), {}, "under 'result.rows'", "items_field"),
        (listed(posts(2)), {"items": "data"}, "The answer is the list itself: leave 'items' empty", "items_field"),
        (listed({"items": posts(1)}), {"items": "data"}, "There is no list under 'data'", "items_field"),
        (listed({"message": "hello"}), {}, "The answer is not a list, and has none in it; it has: message", "path"),
        (listed(["a"]), {}, "It lists no records, but values of the type str", "items_field"),
        (listed(without("title", titel="A")), {}, "'title'; it shows: id, body, titel. 'titel' may be", "fields"),
        (listed(without("title")), {}, "Records are recognized by it: it is in the lookup.", "fields"),
        (listed([{"id": 1, "attributes": POST}]), {}, "'attributes.body' may be meant", "fields"),
        (listed(posts(1)), {"constants": frozenset({"type"})}, "does not show the field 'type'", "constants"),
        (listed(posts(10), x_total_count="25"), {}, "X-Total-Count says 25, 10 came and no next page", "paging"),
        (listed({"d": posts(2), "total": 9}), {"items": "d"}, "The answer says 9, 2 came", "paging"),
        (listed({"d": posts(2), "meta": {"next": "abc"}}), {"items": "d"}, "in 'meta.next': set 'next'", "next_field"),
        (listed({"d": posts(2), "nextPageToken": "x"}), {"items": "d"}, "in 'nextPageToken'", "next_field"),
        (
            listed({"d": posts(2), "_links": {"next": {"href": "/posts?page=2"}}}),
            {"items": "d"},
            "in '_links.next.href'",
            "next_field",
        ),
        (listed(posts(2), next_page="https://api.example.com/posts?p=2"), {}, "'page_name' to 'Next-Page'", "paging"),
        (listed(posts(2), x_next_page="2"), {}, "set 'paging' to 'page'", "paging"),
        (listed(posts(2), link='</posts?p=2>; rel="next"'), {"paging": "header"}, "set 'paging' to 'link'", "paging"),
        (listed(posts(2), link='<https://b.example/p>; rel="next"'), {}, "next page on another host", "paging"),
        (listed(status=404), {}, "/posts answered 404, so there is nothing at that address", "path"),
        (listed(status=401), {}, "The sign-in was refused (401)", "auth"),
        (listed(status=403), {}, "the account may not list the records", "path"),
        (listed(status=405), {}, "records are not listed there", "path"),
        (listed(status=301, location="https://api.example.com/posts/"), {}, "leads to https://api.example.com", "path"),
        (listed(status=429), {}, "It answered 429", ""),
        (listed("gone wrong", status=500), {}, 'it answered 500: "gone wrong"', ""),
        (listed(body=b"<html>", content_type="text/html; charset=utf-8"), {}, "than JSON (text/html)", "path"),
        (listed(body=b""), {}, "without a body", "path"),
        (listed({"success": False, "errors": ["no"]}), {}, "It answered 200, but with errors", ""),
        (Exchange(silence=Silence.NOT_SENT, why="refused the connection"), {}, "the target refused the conn", ""),
    ],
    ids=range(35),
)
def test_what_looks_wrong_is_said_with_its_cure_and_the_column_to_change(exchange, columns, text, column):
    findings = [one for one in judge(exchange, endpoint(**columns)).findings if one.severity is Severity.WRONG]
    assert [one.column for one in findings if text in one.text] == [column], findings


@pytest.mark.parametrize(
    ("answer", "items"),
    [(posts(2), ""), ({"data": posts(2)}, "data"), ({"tags": [], "data": posts(2)}, ""), (posts(2), "data")],
)
def test_the_first_record_is_shown_wherever_it_is(answer, items):
    assert judge(listed(answer), endpoint(items=items)).record == {**POST, "id": 1}


@pytest.mark.parametrize(
    ("exchange", "columns", "severity", "text"),
    [
        (listed(posts(3)), {}, Severity.FINE, "It lists 3 records, each with its 'id' and the fields that are sent"),
        (listed([]), {}, Severity.NOTE, "It lists no record yet"),
        (listed(posts(2), link='</posts?p=2>; rel="next"'), {}, Severity.NOTE, "names a next page, which is followed"),
        (listed(posts(20)), {}, Severity.NOTE, "20 records came, and nothing says whether there are more"),
        (
            listed(posts(2), x_total_count="5"),
            {"paging": "page", "page_name": "page"},
            Severity.NOTE,
            "2 records came; X-Total-Count says 5. 'page' is counted up until a page is empty",
        ),
    ],
    ids=range(5),
)
def test_what_is_worth_knowing_does_not_look_wrong(exchange, columns, severity, text):
    findings = judge(exchange, endpoint(**columns)).findings
    assert [one.severity for one in findings if text in one.text] == [severity], findings
    assert Severity.WRONG not in [one.severity for one in findings]


# --- the whole trial --------------------------------------------------------------------------------------------------
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
