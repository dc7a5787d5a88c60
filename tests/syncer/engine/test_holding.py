"""Hold and release: what a person keeps back is not sent, and everything else goes on."""

import pytest
from django.contrib.admin.models import LogEntry

from backoffice.kit.erasure import Words
from backoffice.kit.jobs.models import Job
from backoffice.kit.jobs.service import work_here
from content.news.models import Comment, Post
from syncer.core.errors import NotPossibleError
from syncer.core.state import State
from syncer.engine import holding, many
from syncer.engine.holding import Released, bindings_of, chosen_of
from syncer.engine.wake import sweep
from syncer.models import Binding, Route, Run, Target
from syncer.models.backlog import of_route
from syncer.recovery.erasure import erase_words
from syncer.reports.states import object_states
from tests.content.pages import person
from tests.remote import Fault
from tests.syncer.conftest import sync, sync_automatically
from tests.syncer.support import binding_of, let_time_pass, requests

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.law]


def hold(*objects, reason="Not before Monday", user=None, targets=None):
    return holding.hold(chosen(*objects, targets=targets), reason=reason, user=user)


def release(*objects, user=None):
    return holding.release(chosen(*objects), user=user)


def chosen(*objects, targets=None):
    return chosen_of(objects[0]._meta.label, [str(obj.pk) for obj in objects], targets=targets)


def state_of(obj):
    [state] = object_states(type(obj), [obj.pk])[obj.pk]
    return state


def test_one_object_stays_back_and_the_others_go(target, post, remote):
    other = Post.objects.create(title="Other", body="B")
    assert hold(post) == 1
    assert sync(target).message == "1 created. 1 changed object is on hold."
    assert [record["title"] for record in remote.posts.values()] == ["Other"]
    assert (state_of(post).state, state_of(other).state) == (State.ON_HOLD, State.IN_SYNC)


def test_a_sync_of_what_is_held_does_not_claim_that_everything_was_accepted(target, post, remote):
    hold(post)
    assert sync(target).message == "1 changed object is on hold."
    assert requests(remote) == []


def test_an_object_that_was_never_planned_is_held_before_its_first_delivery(target, post, remote):
    assert not Binding.objects.exists()
    hold(post)
    assert (binding_of(post).wanted, binding_of(post).on_hold) == (0, True)
    sync(target)
    assert requests(remote) == []
    release(post)
    assert sync(target).message == "1 created."


def test_the_mark_moves_on_while_an_object_is_held(target, synced, remote):
    hold(synced)
    Post.objects.filter(pk=synced.pk).update(title="edited")
    sync(target)
    assert of_route(target.routes.get(model="news.Post")).pending == 0
    assert binding_of(synced).due


def test_a_newer_edit_or_a_retry_does_not_release(target, synced, remote):
    hold(synced)
    for title in ("one", "two"):
        Post.objects.filter(pk=synced.pk).update(title=title)
        sync(target)
    assert requests(remote) == []
    assert binding_of(synced).on_hold


def test_a_release_sends_the_object_as_it_is_now_and_nothing_in_between(target, synced, remote):
    hold(synced)
    for title in ("one", "two"):
        Post.objects.filter(pk=synced.pk).update(title=title)
        sync(target)
    assert release(synced) == Released(number=1, due=1)
    sync(target)
    assert requests(remote) == [("PUT", "/posts/1")]
    assert remote.posts[1]["title"] == "two"


def test_what_was_released_is_found_by_the_sweep_without_a_sync_now(target, synced, remote):
    hold(synced)
    Post.objects.filter(pk=synced.pk).update(title="edited")
    sync(target)
    assert sweep() == 0
    release(synced)
    assert sweep() == 1
    assert Run.objects.latest("pk").trigger == Run.Trigger.RETRY


def test_a_delete_waits_too(target, synced, remote):
    hold(synced)
    key = synced.pk
    synced.delete()
    sync(target)
    assert requests(remote) == []
    holding.release(chosen_of("news.Post", [str(key)]))
    assert sync(target).message == "1 deleted."


def test_a_child_waits_for_its_held_parent_and_goes_after_it(target, post, remote):
    Comment.objects.create(post=post, name="N", email="n@example.com", body="B")
    hold(post)
    assert "1 waiting for another object" in sync(target).message
    assert requests(remote) == []
    release(post)
    sync(target)
    assert requests(remote) == [("POST", "/posts"), ("POST", "/comments")]


def test_a_child_of_a_held_parent_that_is_there_goes(target, synced, remote):
    hold(synced)
    Comment.objects.create(post=synced, name="N", email="n@example.com", body="B")
    sync(target)
    assert requests(remote) == [("POST", "/comments")]


def test_a_hold_at_one_target_leaves_the_others(target, post, remote):
    second = Target.objects.create(name="second", url=remote.url)
    Route.objects.create(target=second, model="news.Post", path="/posts", fields={"title": "title"}, existing="create")
    hold(post, targets=[target])
    sync(target)
    assert requests(remote) == []
    assert sync(second).message == "1 created."


def test_who_when_and_why_are_kept_and_shown(target, post):
    user = person("operator")
    hold(post, user=user)
    row = binding_of(post)
    assert (row.held_by, row.held_why, row.held_at is None) == ("operator", "Not before Monday", False)
    assert state_of(post).why.startswith("Not before Monday (operator, ")
    release(post, user=user)
    row = binding_of(post)
    assert (row.held_by, row.held_why, row.held_at) == ("", "", None)
    log = LogEntry.objects.order_by("pk").values_list("user__username", "change_message")
    assert list(log) == [("operator", "Held: Not before Monday"), ("operator", "Released.")]


def test_a_second_hold_keeps_the_first_reason(target, post):
    assert hold(post) == 1
    assert hold(post, reason="Another") == 0
    assert binding_of(post).held_why == "Not before Monday"


@pytest.mark.parametrize("reason", ["", " \n", "\0", "x" * 257])
def test_a_hold_needs_a_reason(target, post, reason):
    with pytest.raises(NotPossibleError):
        hold(post, reason=reason)
    assert not Binding.objects.exists()


def test_what_does_not_exist_gets_no_binding(target):
    assert holding.hold(chosen_of("news.Post", ["4711"]), reason="R") == 0
    assert not Binding.objects.exists()
    assert holding.missing(chosen_of("news.Post", ["4711"])) == ["news.Post:4711"]


def test_a_rejected_object_stays_rejected_after_a_release_until_an_edit(target, post, remote):
    remote.fault(Fault.STATUS, method="POST", status=422)
    sync(target)
    hold(post)
    release(post)
    assert state_of(post).state == State.REJECTED


def test_a_request_under_way_is_not_called_back_and_its_answer_counts(target, post, remote):
    sync(target)
    Binding.objects.update(unconfirmed=True)  # as after a lost answer
    hold(post)
    let_time_pass()
    remote.clear_journal()
    sync_automatically(target)
    assert requests(remote) == []
    assert binding_of(post).unconfirmed


def test_very_many_are_held_by_a_job_in_slices(target, monkeypatch, post):
    monkeypatch.setattr(many, "AT_ONCE", 2)
    monkeypatch.setattr(holding, "SLICE", 2)
    made = Post.objects.bulk_create(Post(title=f"T{number}", body="B") for number in range(4))
    user = person("operator", "syncer.sync_target")
    many.hold(chosen(*made), reason="R", user=user)
    work_here(job := Job.objects.latest("created_at"))
    assert (job.state, job.done, job.result) == ("done", 4, {"held": 4})
    assert Binding.objects.filter(on_hold=True, held_by="operator").count() == 4
    many.release(bindings_of(Binding.objects.all()), user=user)
    work_here(job := Job.objects.latest("created_at"))
    assert job.result == {"released": 4, "due": 0}


def test_a_job_checks_the_permission_again(target, monkeypatch, post):
    monkeypatch.setattr(many, "AT_ONCE", 0)
    many.hold(chosen(post), reason="R", user=person("editor"))
    work_here(job := Job.objects.latest("created_at"))
    assert job.state == "failed"
    assert not Binding.objects.exists()


def test_a_persons_words_are_erased_from_reasons(target, post):
    hold(post, reason="client-7 asked for it")
    assert erase_words(Words(names=["client-7"], texts=[])) == 1
    assert "client-7" not in binding_of(post).held_why
