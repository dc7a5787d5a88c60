"""A person names the record of any object: the service, the page with ours beside theirs, the command."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from backoffice.accounts.models import User
from content.news.models import Comment, Post
from syncer.core.errors import NotPossibleError
from syncer.core.state import Question
from syncer.engine.runs import work
from syncer.models import Binding, Run, Target
from syncer.targets.rest import doubt
from tests.content.pages import administrator, sign_in
from tests.remote import Fault
from tests.syncer.conftest import sync
from tests.syncer.support import binding_of, requests
from tests.syncer.targets.rest.doubts import decide, page_of

pytestmark = pytest.mark.django_db(transaction=True)
USER = 99999942


def there(remote, **fields):
    """A record that the target has without us; its id."""
    return remote.store.create("posts", {"userId": USER, "title": "theirs", "body": "B", **fields})["id"]


@pytest.fixture
def refused(target, post, remote):
    """A post whose create the target refused: it has such a record. The journal is empty."""
    remote.fault(Fault.STATUS, method="POST", status=422, body={"title": "is taken"})
    there(remote)
    sync(target)
    remote.clear_journal()
    return post


@pytest.fixture
def differing(target, post, remote):
    """A post that adoption left to a person: record 1 fits the lookup, and has another body. The journal is empty."""
    target.routes.update(existing="adopt")
    there(remote, title=" a ", body="theirs", stars=5)
    sync(target)
    assert binding_of(post).in_doubt
    remote.clear_journal()
    return post


# --- the service ------------------------------------------------------------------------------------------------------
def test_an_object_whose_create_was_refused_is_linked_and_sent_whole(target, refused, remote):
    doubt.link(binding=binding_of(refused), remote_id=1)
    assert sync(target).message == "1 updated."
    assert requests(remote) == [("PUT", "/posts/1")]
    assert remote.posts[1] == {"id": 1, "userId": USER, "title": "A", "body": "B"}
    assert (binding_of(refused).remote_id, binding_of(refused).rejected) == ("1", None)


def test_an_object_that_was_never_planned_is_linked(target, post, remote):
    there(remote)
    binding = doubt.binding_of(route=target.routes.get(model="news.Post"), key=str(post.pk))
    doubt.link(binding=binding, remote_id=1)
    sync(target)
    assert requests(remote) == [("PUT", "/posts/1")]


def test_an_object_with_a_record_is_linked_to_another_and_its_children_follow(target, synced, remote):
    comment = Comment.objects.create(post=synced, name="N", email="n@example.com", body="B")
    sync(target)
    other = there(remote)
    remote.clear_journal()
    doubt.link(binding=binding_of(synced), remote_id=other)
    sync(target)
    assert requests(remote) == [("PUT", f"/posts/{other}"), ("PUT", "/comments/1")]
    assert remote.comments[1]["postId"] == other
    assert binding_of(comment).agreed["postId"] == other
    assert remote.posts[1]["title"] == "A", "the record that it had stays as it is"


def test_a_retried_object_whose_record_is_not_believed_to_be_gone_is_created_again(target, synced, remote):
    Post.objects.filter(pk=synced.pk).update(title="C")
    remote.fault(Fault.STATUS, status=404, times=None)
    sync(target)
    assert (binding_of(synced).tries, binding_of(synced).remote_id) == (1, "1")
    remote.heal()
    remote.clear_journal()
    doubt.link(binding=binding_of(synced), remote_id=None)
    sync(target)
    assert requests(remote) == [("POST", "/posts")]


def test_of_a_record_that_is_known_nobody_says_that_it_is_not_there(target, synced):
    before = Binding.objects.values().get()
    with pytest.raises(NotPossibleError, match="has the record 1 at Fake API, and nothing says that it is gone"):
        doubt.link(binding=binding_of(synced), remote_id=None)
    assert Binding.objects.values().get() == before


def test_what_is_not_to_be_there_is_not_linked_for_the_record_would_be_deleted(target, post, remote):
    there(remote)
    target.routes.update(filter={"title": "other"})
    binding = doubt.binding_of(route=target.routes.get(model="news.Post"), key=str(post.pk))
    with pytest.raises(NotPossibleError, match="is not to be at Fake API: the next sync would delete the record"):
        doubt.link(binding=binding, remote_id=1)


def test_a_record_of_another_object_is_not_linked(target, synced):
    other = Post.objects.create(title="other", body="B")
    binding = doubt.binding_of(route=target.routes.get(model="news.Post"), key=str(other.pk))
    with pytest.raises(NotPossibleError, match=f"1 is the record of news.Post:{synced.pk} already"):
        doubt.link(binding=binding, remote_id="1")


@pytest.mark.parametrize(
    ("columns", "seen", "says"),
    [
        ({"lease_until": timezone.now() + timedelta(days=1)}, None, "A worker has"),
        ({}, -1, "has moved on since you looked"),
    ],
)
def test_what_a_worker_holds_or_has_moved_on_is_not_linked(target, refused, columns, seen, says):
    Binding.objects.update(**columns)
    with pytest.raises(NotPossibleError, match=says):
        doubt.link(binding=binding_of(refused), remote_id=1, seen=seen)


# --- the page ---------------------------------------------------------------------------------------------------------
def test_the_page_of_a_refused_create_offers_the_link(target, refused, remote):
    client, one = administrator(), binding_of(refused)
    page = client.get(page_of(one)).content.decode()
    assert "It is rejected. Has Fake API such a record already?" in page
    assert "Link to it" in page
    decide(client, one, way="arrived", remote_id="1")
    work(Run.objects.latest("pk"))
    assert requests(remote) == [("PUT", "/posts/1")]
    assert LogEntry.objects.get().get_change_message() == "Its record is 1."


def test_the_page_of_any_object_links_it_to_another_record(target, synced, remote):
    client, one, other = administrator(), binding_of(synced), there(remote)
    assert "Link to another record" in client.get(page_of(one)).content.decode()
    _, asked = decide(client, one, way="arrived", remote_id=str(other))
    assert "Record 1, which it had until now, stays there as it is." in asked
    assert binding_of(synced).remote_id == str(other)


def test_the_page_of_an_object_at_a_peer_links_nothing(target, synced):
    Target.objects.update(kind="peer", peer_node="there")
    page = administrator().get(page_of(binding_of(synced))).content.decode()
    assert "Link to" not in page


def test_the_page_shows_ours_beside_theirs_and_marks_what_differs(target, differing):
    page = administrator().get(page_of(binding_of(differing))).content.decode()
    assert Question.UNSEEN.value in page
    for text in ("Record 1", "1 field differs", "It is this one: send ours", "None of these: create ours"):
        assert text in page
    rows = [row.partition("</tr>")[0] for row in page.split('<tr class="sync-differs">')[1:]]
    assert len(rows) == 1
    for text in (">body", ">B<", ">theirs<"):
        assert text in rows[0]
    assert "stars" not in page, "only what is sent is compared"


def test_what_the_target_does_not_show_is_not_called_different(target, differing):
    Binding.objects.update(candidates=[{"id": "1", "shown": {"title": "A"}}])
    page = administrator().get(page_of(binding_of(differing))).content.decode()
    assert page.count("not shown") == 2
    assert "equal in all that it shows" in page


@pytest.mark.parametrize(
    ("answer", "sent"),
    [({"encoded": "1"}, ("PUT", "/posts/1")), ({"way": "not_arrived"}, ("POST", "/posts"))],
    ids=["this one", "none of these"],
)
def test_what_differs_is_decided_with_one_button(target, differing, remote, answer, sent):
    decide(administrator(), binding_of(differing), **answer)
    work(Run.objects.latest("pk"))
    assert requests(remote) == [sent]
    assert binding_of(differing).candidates is None


def test_whoever_may_not_view_posts_sees_neither_ours_nor_theirs(target, differing):
    page = sign_in("syncer.sync_target").get(page_of(binding_of(differing))).content.decode()
    assert "It is this one: send ours" in page
    for words in (">theirs<", ">B<", "1 field differs", "sync-differs"):
        assert words not in page


def test_what_a_candidate_shows_can_not_be_guessed_by_a_filter(target, differing):
    client = sign_in("syncer.sync_target")
    address = reverse("admin:syncer_binding_changelist")
    assert client.get(address, {"candidates__icontains": "theirs"}).status_code == 400


def test_many_candidates_are_counted_and_the_first_twenty_shown(target, differing):
    Binding.objects.update(candidates=[{"id": str(number), "shown": {"title": "A"}} for number in range(25)])
    page = administrator().get(page_of(binding_of(differing))).content.decode()
    assert page.count("It is this one: send ours") == 20
    assert "25 possible matches" in page
    assert "And 5 more" in page


def test_sync_resolve_shows_ours_beside_theirs(target, differing):
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("sync_resolve", "fakeapi", stdout=out)
    assert 'body differs: ours "B", theirs "theirs"' in out.getvalue()
    assert "title differs" not in out.getvalue()


# --- the command ------------------------------------------------------------------------------------------------------
def link(*words):
    """What `sync_link fakeapi … --json` prints, and its exit status."""
    out = StringIO()
    try:
        call_command("sync_link", "fakeapi", *words, "--json", stdout=out)
    except SystemExit as error:
        return json.loads(out.getvalue()), error.code
    return json.loads(out.getvalue()), 0


def test_the_command_links_an_object_that_was_never_sent(target, post, remote):
    there(remote)
    User.objects.create_user("operator")
    answer, status = link(f"news.Post:{post.pk}", "1", "--by", "operator")
    assert (answer["record"], answer["message"], status) == (1, "1 updated.", 0)
    assert requests(remote) == [("PUT", "/posts/1")]
    assert str(LogEntry.objects.get().user) == "operator"


def test_the_command_says_that_there_is_no_record(target, refused, remote):
    answer, status = link(f"news.Post:{refused.pk}", "--none")
    assert (answer["record"], answer["message"], status) == (None, "1 created.", 0)


def test_the_command_shows_what_would_follow_and_writes_nothing(target, post, remote):
    out = StringIO()
    call_command("sync_link", "fakeapi", f"news.Post:{post.pk}", "7", "--check", stdout=out)
    assert out.getvalue().startswith("Nothing was written (--check). All fields of the object are sent to record 7")
    assert not Binding.objects.exists()
    assert requests(remote) == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["news.Post:{pk}"], "Give the id of the object's record, or --none"),
        (["news.Post:{pk}", "5", "--none"], "Give the id of the object's record, or --none"),
        (["news.Post:99", "5"], r"There is no news\.Post:99 here, and Fake API was never sent one"),
        (["news.Post:{pk}", ".."], "can't be a record's id"),
        (["news.Post:{pk}", "5", "--by", "nobody"], "There is no user 'nobody'"),
    ],
    ids=range(5),
)
def test_the_command_refuses_what_it_can_not_do(target, post, words, says):
    with pytest.raises(CommandError, match=says):
        call_command("sync_link", "fakeapi", *[word.format(pk=post.pk) for word in words])
    assert not Binding.objects.exists()


def test_the_command_links_nothing_at_a_peer(target, post):
    Target.objects.update(kind="peer", peer_node="there")
    with pytest.raises(CommandError, match="is a peer: objects have the same key at both ends"):
        call_command("sync_link", "fakeapi", f"news.Post:{post.pk}", "5")
    assert not Binding.objects.exists()
