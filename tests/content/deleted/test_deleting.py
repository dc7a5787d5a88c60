"""The question before a delete says what goes and what targets lose; a long delete is a job in short slices."""

import io
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backoffice.accounts.models import User
from backoffice.kit.estimates import Count
from backoffice.kit.jobs.models import Job
from backoffice.kit.jobs.service import work_here
from content.base.deleted import cascade, restore
from content.messaging.models import Bot
from content.news.models import Comment, Post
from content.palettes.models import Membership, Palette, Team
from syncer.models import Route, Target
from tests.content.deleted.test_pages import RESTORE, undo_of, with_comments
from tests.content.pages import administrator, person, sign_in
from tests.remote import Remote
from tests.syncer.conftest import sync
from tests.syncer.conftest import target as target_fixture

pytestmark = pytest.mark.django_db(transaction=True)
target = target_fixture

LIST = reverse("admin:news_post_changelist")
MANY = cascade.HERE + 50


def delete_url(post: Post) -> str:
    return reverse("admin:news_post_delete", args=[post.pk])


def chosen(*posts: Post, **more: str) -> dict[str, object]:
    return {"action": "delete_selected", "_selected_action": [str(post.pk) for post in posts], **more}


# --- the question ----------------------------------------------------------------------------------------------------
def test_the_question_says_what_the_target_loses(remote: Remote, target: Target):
    post = with_comments(5)
    with_comments(2, "another")
    sync(target)
    page = administrator().get(delete_url(post)).content.decode()
    assert "Fake API loses 1 post and 5 comments." in page
    assert "This waits for the next Sync now." in page


def test_the_question_about_chosen_ones_says_it_too(remote: Remote, target: Target):
    posts = [with_comments(5), with_comments(2, "another")]
    sync(target)
    page = administrator().post(LIST, chosen(*posts)).content.decode()
    assert "Fake API loses 2 posts and 7 comments." in page


def test_so_many_deletes_that_a_person_is_asked_again_are_announced(remote: Remote, target: Target):
    post = with_comments(25)
    sync(target)
    Route.objects.update(trigger="change")
    page = administrator().get(delete_url(post)).content.decode()
    assert "They are so many that a person is asked again before they are deleted there." in page


def test_what_the_target_never_had_it_does_not_lose(target: Target):
    page = administrator().get(delete_url(with_comments(1))).content.decode()
    assert "What targets lose" not in page


def test_the_reason_goes_to_the_history_of_all_that_goes():
    post = with_comments(2)
    administrator().post(delete_url(post), {"post": "yes", "_reason": "Out of date"})
    gone = [*Post.history.filter(history_type="-"), *Comment.history.filter(history_type="-")]
    assert [row.history_change_reason for row in gone] == ["Out of date"] * 3


def test_the_question_does_not_read_what_it_only_counts():
    post = with_comments(MANY)
    client = administrator()
    client.get(LIST)
    with CaptureQueriesContext(connection) as queries:
        page = client.get(delete_url(post)).content.decode()
    assert f"This deletes 1 post and {MANY:,} comments" in page
    rows = [query["sql"] for query in queries if 'FROM "news_comment"' in query["sql"]]
    assert all("COUNT(" in sql for sql in rows), rows


def test_above_what_is_counted_the_question_says_more_than(monkeypatch):
    monkeypatch.setattr(cascade, "count", lambda rows: Count(10_000, "more than"))
    page = administrator().get(delete_url(with_comments(1))).content.decode()
    assert "more than 10,000" in page


def test_many_that_one_may_not_delete_are_refused():
    post = with_comments(MANY)
    client = sign_in("news.view_post", "news.delete_post")
    assert "This would also delete objects that you may not delete" in client.get(delete_url(post)).content.decode()
    assert client.post(delete_url(post), {"post": "yes"}).status_code == 403
    assert not Job.objects.exists()


def test_what_grew_since_the_question_is_asked_again():
    posts = [with_comments(1), with_comments(1)]
    client = administrator()
    page = client.post(LIST, chosen(*posts))
    assert page.context["total"] == 4
    Comment.objects.create(post=posts[0], name="N", email="reader@example.org", body="B")
    again = client.post(LIST, chosen(*posts, post="yes", total="4"))
    assert again.context["total"] == 5
    assert Post.objects.count() == 2
    client.post(LIST, chosen(*posts, post="yes", total="5"))
    assert not Post.objects.exists()


def test_all_of_a_filtered_list_are_deleted_without_naming_each():
    for number in range(70):
        with_comments(0, f"T{number}")
    client, first = administrator(), Post.objects.earliest("pk")
    page = client.post(f"{LIST}?q=T", chosen(first, select_across="1"))
    assert page.context["total"] == 70
    client.post(f"{LIST}?q=T", chosen(first, select_across="1", post="yes", total="70"))
    assert not Post.objects.exists()


# --- the job ---------------------------------------------------------------------------------------------------------
def begin(client, post: Post) -> Job:
    answer = client.post(delete_url(post), {"post": "yes", "_reason": "Out of date"})
    job = Job.objects.latest("created_at")
    assert answer["Location"] == reverse("admin:jobs_job_change", args=[job.pk])
    return job


def test_a_long_delete_is_a_job_in_slices(monkeypatch):
    slices: list[int] = []
    delete = cascade._delete_at_once
    monkeypatch.setattr(cascade, "PAUSE", 0)

    def noted(job, model, keys):
        slices.append(len(keys))
        return delete(job, model, keys)

    monkeypatch.setattr(cascade, "_delete_at_once", noted)
    post = with_comments(MANY)
    job = begin(administrator(), post)
    assert Post.objects.exists()
    work_here(job)
    assert (job.state, job.done, job.total) == ("done", MANY + 1, MANY + 1)
    assert slices == [500, 500, 50, 1]
    assert not Post.objects.exists()
    assert {row.history_change_reason for row in Comment.history.filter(history_type="-")} == {"Out of date"}


def test_what_a_job_deleted_comes_back_whole_though_it_was_stopped_and_started_again(monkeypatch):
    monkeypatch.setattr(cascade, "PAUSE", 0)
    post, client = with_comments(MANY), administrator()
    first = begin(client, post)
    delete = cascade._delete_at_once

    def stop(job, model, keys):
        if model is Comment and Comment.objects.count() < MANY:
            raise RuntimeError("the worker stopped")
        return delete(job, model, keys)

    with monkeypatch.context() as patch:
        patch.setattr(cascade, "_delete_at_once", stop)
        work_here(first)
    assert (first.state, Comment.objects.count()) == ("failed", MANY - 500)
    monkeypatch.setattr(cascade, "HERE", 10)
    monkeypatch.setattr("content.base.deleted.asking.HERE", 10)
    work_here(begin(client, post))
    assert not Post.objects.exists()
    question = client.get(f"{RESTORE}?row={Post.history.first().pk}").content.decode()
    assert f"1 post and {MANY} comments" in question


def test_a_job_restores_many():
    post, client = with_comments(600), administrator()
    page = client.post(delete_url(post), {"post": "yes"}, follow=True)
    answer = client.post(undo_of(page))
    job = Job.objects.latest("created_at")
    assert answer["Location"] == reverse("admin:jobs_job_change", args=[job.pk])
    work_here(job)
    assert (job.state, job.done, Comment.objects.count()) == ("done", 601, 600)


def test_a_long_job_goes_on_in_turns(monkeypatch):
    monkeypatch.setattr(cascade, "PAUSE", 0)
    post, client = with_comments(MANY), administrator()
    job = begin(client, post)
    monkeypatch.setattr(cascade, "TURN", -1)
    turns = _turns(job)
    assert (turns, job.done, Post.objects.exists()) == (5, MANY + 1, False)  # 500, 500, 50, the post, and nothing
    monkeypatch.setattr(restore, "TURN", -1)
    page = client.post(f"{RESTORE}?row={Post.history.first().pk}")
    job = Job.objects.latest("created_at")
    assert page["Location"] == reverse("admin:jobs_job_change", args=[job.pk])
    turns = _turns(job)
    assert (turns, job.done, Comment.objects.count()) == (8, MANY + 1, MANY)  # the post, then 200 at a time


def test_what_a_delete_in_turns_is_refused_is_reported_once(monkeypatch):
    call_command("sample_content", "messaging", stdout=io.StringIO())
    used = Bot.objects.filter(messages__isnull=False).distinct().earliest("pk")
    free = [Bot.objects.create(pk=uuid4(), name=name) for name in ("Free 1", "Free 2")]
    monkeypatch.setattr(cascade, "TURN", -1)
    monkeypatch.setattr(cascade, "SLICE", 1)
    job = cascade.begin(Bot, [used.pk, *(bot.pk for bot in free)], 3, user=None)
    assert _turns(job) > 1
    assert (job.done, job.failed) == (2, 1)
    assert [problem["item"] for problem in job.problems] == [f"bot {used.pk}"]


def test_what_a_restore_in_turns_is_refused_is_reported_once(monkeypatch):
    post, other = with_comments(1, "Gone"), with_comments(2, "There")
    orphan = post.comments.get()
    post.delete()
    other.comments.all().delete()
    rows = [Comment.history.filter(history_type="-", id=pk).get().pk for pk in (orphan.pk, *_deleted_keys(other))]
    monkeypatch.setattr(restore, "TURN", -1)
    monkeypatch.setattr(restore, "SLICE", 1)
    monkeypatch.setattr(restore, "HERE", 0)
    job = restore.begin(Comment, rows, user=User.objects.create_superuser("root"), reason="")
    assert _turns(job) > 1
    assert (job.done, job.failed, len(job.problems)) == (2, 1, 1)


def _deleted_keys(post: Post) -> list[int]:
    return list(Comment.history.filter(history_type="-", post_id=post.pk).values_list("id", flat=True))


def _turns(job: Job) -> int:
    """Do the job to its end, and return how often it was taken."""
    turns = 0
    while job.is_open:
        work_here(job)
        turns += 1
    return turns


def test_a_job_checks_the_permission_when_it_runs(monkeypatch):
    post = with_comments(MANY)
    client = sign_in("news.view_post", "news.delete_post", "news.delete_comment")
    job = begin(client, post)
    User.objects.get(username="editor").user_permissions.clear()
    work_here(job)
    assert job.state == "failed"
    assert Comment.objects.count() == MANY


def test_a_team_with_palettes_keeps_its_members(monkeypatch):
    team = Team.objects.get(memberships__user=person("owner"))
    Palette.objects.create(team=team, name="P", colors=[])
    job = cascade.begin(Team, [team.pk], 1, user=None)
    work_here(job)
    assert [(problem["item"], problem["message"]) for problem in job.problems] == [
        (f"team {team.pk}", "It is still used by palettes.")
    ]
    assert Membership.objects.filter(team=team).exists()


def test_a_team_goes_with_its_last_member():
    team = Team.objects.get(memberships__user=person("owner"))
    work_here(job := cascade.begin(Team, [team.pk], 2, user=None))
    assert (job.state, job.failed, job.done) == ("done", 0, 2)
    assert not Team.objects.filter(pk=team.pk).exists()


def test_a_bot_with_messages_stays():
    call_command("sample_content", "messaging", stdout=io.StringIO())
    bot = Bot.objects.filter(messages__isnull=False).distinct().earliest("pk")
    work_here(job := cascade.begin(Bot, [bot.pk], 1, user=None))
    assert job.problems[0]["message"] == "It is still used by messages."
    assert Bot.objects.filter(pk=bot.pk).exists()
