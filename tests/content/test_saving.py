"""What a form tells and asks when it is saved: a reason, what will follow at targets, and the states as they change."""

import pytest
from django.urls import reverse

from backoffice.kit.context import REASON_LENGTH
from content.news.models import Comment, Post
from syncer.engine.runs import work
from syncer.models import Binding, Route, Run, Target
from tests.content.pages import administrator, form_of, sign_in
from tests.remote import Fault, Remote
from tests.syncer.conftest import sync
from tests.syncer.conftest import target as target_fixture

pytestmark = pytest.mark.django_db(transaction=True)
target = target_fixture

ADD = reverse("admin:news_post_add")


def change(post: Post, page: str = "change") -> str:
    return reverse(f"admin:news_post_{page}", args=[post.pk])


def save(client, address: str, **changes: str) -> list[str]:
    """Send the form of a page, and return the messages that follow."""
    form = form_of(client.get(address), "post_form") | changes
    return [str(message) for message in client.post(address, form, follow=True).context["messages"]]


@pytest.fixture
def post() -> Post:
    return Post.objects.create(title="A", body="B")


# --- the reason ------------------------------------------------------------------------------------------------------
def test_the_reason_goes_to_the_history_of_the_form_and_its_inlines(post):
    Comment.objects.create(post=post, name="N", email="reader@example.org", body="B")
    save(administrator(), change(post), title="New", **{"comments-0-name": "M"}, _reason="  As agreed ")
    assert [Post.history.first().history_change_reason, Comment.history.first().history_change_reason] == [
        "As agreed"
    ] * 2


def test_without_a_reason_none_is_recorded(post):
    save(administrator(), change(post), title="New")
    assert not Post.history.first().history_change_reason


def test_a_reason_that_is_too_long_is_cut_and_loses_no_edit(post):
    save(administrator(), change(post), title="New", _reason="x\0" * 200)
    assert Post.history.first().history_change_reason == "x" * REASON_LENGTH


def test_a_form_with_an_error_keeps_the_reason(post):
    client = administrator()
    form = form_of(client.get(change(post)), "post_form") | {"title": " ", "_reason": "As agreed"}
    assert 'value="As agreed"' in client.post(change(post), form).content.decode()


def test_going_back_asks_for_a_reason_too(post):
    Post.objects.filter(pk=post.pk).update(title="B")
    url = reverse("admin:news_post_simple_history", args=[post.pk, Post.history.last().pk])
    client = administrator()
    assert 'name="_reason"' in client.get(url).content.decode()
    client.post(url, {"_reason": "The old one was right"})
    reason = Post.history.first().history_change_reason
    assert reason.startswith("Went back to the version of ")
    assert reason.endswith(": The old one was right")


def test_a_reader_is_not_asked_for_a_reason(post):
    assert "_reason" not in sign_in("news.view_post").get(change(post)).content.decode()


# --- what will follow ------------------------------------------------------------------------------------------------
MANUAL = "This waits for the next Sync now."


def test_a_save_says_what_will_follow(remote: Remote, target: Target, post: Post):
    client = administrator()
    assert save(client, ADD, title="New", body="B")[1:] == [f"1 create will go to Fake API. {MANUAL}"]
    sync(target)
    assert save(client, change(post), title="B")[1:] == [f"1 update will go to Fake API. {MANUAL}"]
    Route.objects.update(trigger="change")
    assert save(client, change(post), title="C")[1:] == ["1 update will go to Fake API."]
    Route.objects.update(trigger="every 5 minutes")
    wait = "This waits for the next sync; there is one every 5 minutes."
    assert save(client, change(post), title="D")[1:] == [f"1 update will go to Fake API. {wait}"]


def test_inlines_are_counted_with_the_form(target: Target, post: Post):
    sync(target)
    new = {"name": "N", "email": "reader@example.org", "body": "B"}
    rows = {f"comments-0-{name}": value for name, value in new.items()} | {"comments-TOTAL_FORMS": "1"}
    said = save(administrator(), change(post), title="B", **rows)
    assert said[1:] == [f"1 create and 1 update will go to Fake API. {MANUAL}"]


def test_nothing_follows_an_untouched_form(target: Target, post: Post):
    assert len(save(administrator(), change(post))) == 1


def test_without_a_target_nothing_is_said(post):
    assert len(save(administrator(), change(post), title="B")) == 1


@pytest.mark.parametrize(
    ("of_target", "sentence"),
    [
        ({"enabled": False}, "Fake API is paused; this waits until it is resumed."),
        ({"blocked": "no"}, "Fake API is blocked; this waits until a person has put its settings right."),
    ],
)
def test_a_target_that_is_sent_nothing_now_is_named(target: Target, post: Post, of_target, sentence):
    Target.objects.update(**of_target)
    assert save(administrator(), change(post), title="B")[1:] == [f"1 create will go to Fake API. {sentence}"]


def test_what_does_not_travel_is_said(target: Target, post: Post):
    Route.objects.filter(model="news.Post").update(fields={"body": "body"}, lookup=[])
    said = save(administrator(), change(post), title="B")
    assert said[1:] == ["Nothing is sent to Fake API: what was changed does not travel there."]


def test_what_the_filter_leaves_out_is_said_and_what_it_removes_is_a_delete(target: Target, post: Post):
    sync(target)
    Route.objects.filter(model="news.Post").update(filter={"title": "A"})
    client = administrator()
    assert save(client, change(post), title="B")[1:] == [f"1 delete will go to Fake API. {MANUAL}"]
    sync(target)
    assert save(client, change(post), title="C")[1:] == [
        "Nothing is sent to Fake API: the filter of its route leaves it out."
    ]


def test_an_object_on_hold_is_said_to_stay(target: Target, post: Post):
    sync(target)
    Binding.objects.update(on_hold=True)
    assert save(administrator(), change(post), title="B")[1:] == ["Nothing is sent to Fake API: it is on hold."]


# --- the states as they change ---------------------------------------------------------------------------------------
def test_the_states_can_be_asked_for_until_they_settle(remote: Remote, target: Target, post: Post):
    client = administrator()

    def states() -> dict[str, object]:
        answer: dict[str, object] = client.get(change(post, "states")).json()
        return answer

    assert (states()["text"], states()["moving"]) == ("Fake API: pending", False)  # nobody has pressed Sync now
    run = Run.objects.create(target=target, trigger=Run.Trigger.MANUAL)
    assert states()["moving"] is True
    work(run)
    assert (states()["text"], states()["moving"]) == ("Fake API: in sync", False)
    assert ">in sync</span>" in str(states()["rows"])
    Route.objects.update(trigger="change")
    Post.objects.filter(pk=post.pk).update(title="B")
    assert (states()["text"], states()["moving"]) == ("Fake API: pending", True)


def test_the_form_asks_for_states_that_may_change(target: Target, post: Post):
    page = administrator().get(change(post)).content.decode()
    assert f'data-url="{change(post, "states")}" data-text="Fake API: pending" data-moving="no"' in page
    Route.objects.update(trigger="change")
    assert 'data-moving="yes"' in administrator().get(change(post)).content.decode()


def test_the_states_need_the_permission_to_view(target: Target, post: Post):
    assert sign_in("news.view_comment").get(change(post, "states")).status_code == 403
    assert administrator().get("/admin/news/post/77/states/").status_code == 404


# --- the filter by state ---------------------------------------------------------------------------------------------
def test_the_list_is_filtered_by_the_state_that_its_chips_show(remote: Remote, target: Target):
    titles = ("good", "bad", "failing")
    for status, title in ((422, "bad"), (503, "failing")):
        remote.fault(Fault.STATUS, method="POST", path="/posts", status=status, times=None, where=_titled(title))
    for title in (*titles, "left out", "held", "edited"):
        Post.objects.create(title=title, body="B")
    Route.objects.filter(model="news.Post").update(filter={"title__in": [*titles, "held", "edited", "new"]})
    sync(target)
    Binding.objects.filter(object_key=Post.objects.get(title="held").pk).update(on_hold=True)
    Post.objects.filter(title__in=("edited", "held")).update(body="C")
    Post.objects.create(title="new", body="B")
    client = administrator()
    page = client.get(reverse("admin:news_post_changelist"))
    shown: dict[str, set[str]] = {}
    for post in page.context["cl"].result_list:
        shown.setdefault(str(post.sync_states[0].state), set()).add(post.title)
    assert shown.keys() >= {"in sync", "pending", "rejected", "retrying", "on hold", "not synced"}
    for state in (
        "in sync",
        "pending",
        "sending",
        "retrying",
        "rejected",
        "in doubt",
        "on hold",
        "conflict",
        "not synced",
    ):
        page = client.get(reverse("admin:news_post_changelist"), {"at_targets": state})
        assert {post.title for post in page.context["cl"].result_list} == shown.get(state, set()), state


def _titled(title: str):
    return lambda body: body["title"] == title


def test_a_state_that_is_none_filters_nothing(target: Target, post: Post):
    page = administrator().get(reverse("admin:news_post_changelist"), {"at_targets": "x"})
    assert list(page.context["cl"].result_list) == [post]


# --- names and keys --------------------------------------------------------------------------------------------------
def test_every_field_of_an_inline_has_a_name(post):
    Comment.objects.create(post=post, name="N", email="reader@example.org", body="B")
    page = administrator().get(change(post)).content.decode()
    for name in ("Name", "Email", "Body"):
        assert page.count(f'aria-label="{name}"') == 2, name  # the comment's row, and the empty one


def test_the_form_loads_the_script_of_its_keys(post):
    page = administrator().get(change(post)).content.decode()
    assert "content/keys.js" in page
    assert 'data-title="Ctrl+S"' in page
