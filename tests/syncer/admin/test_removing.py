"""Deleting targets and routes: the question costs the same however much goes, and much goes by a job in slices."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backoffice.kit.jobs.models import Job
from backoffice.kit.jobs.service import work_here
from content.news.models import Post
from syncer.engine.wake import wake
from syncer.models import Alert, Attempt, Binding, Route, Run, Target
from syncer.recovery import removal
from tests.content.pages import administrator, sign_in
from tests.syncer.conftest import sync

MANY = 2_100


@pytest.fixture(autouse=True)
def _without_a_pause(monkeypatch):
    monkeypatch.setattr(removal, "PAUSE", 0)


def page(owner):
    return reverse(f"admin:syncer_{owner._meta.model_name}_delete", args=[owner.pk])


def bind(route, number):
    """As many bindings as a long sync leaves."""
    Binding.objects.bulk_create(Binding(route=route, object_key=f"old-{key}") for key in range(number))


@pytest.fixture
def synced(target):
    """A target that has synced, beside another one that has too."""
    Post.objects.create(title="A", body="B")
    sync(target)
    other = Target.objects.create(name="other", url=target.url)
    Route.objects.create(target=other, model="news.Post", path="/posts", fields={"title": "title"}, lookup=["title"])
    sync(other)
    return target


def left():
    return {model.__name__: model.objects.count() for model in (Target, Route, Binding, Run, Attempt, Alert)}


@pytest.mark.parametrize("of", ["target", "route"])
def test_little_is_deleted_at_once_by_whoever_may_delete_the_owner(synced, of):
    owner = synced if of == "target" else synced.routes.get(model="news.Post")
    client = sign_in(f"syncer.delete_{of}", f"syncer.view_{of}")
    asked = client.get(page(owner)).content.decode()
    assert "bindings: 1" in asked
    assert "What was sent stays at the target as it is." in asked
    assert client.post(page(owner), {"post": "yes"}).status_code == 302
    assert not type(owner)._default_manager.filter(pk=owner.pk).exists()
    if of == "target":
        assert left() == {
            "Target": 1,
            "Route": 1,
            "Binding": 1,
            "Run": 1,
            "Attempt": Attempt.objects.count(),
            "Alert": 0,
        }
    assert Job.objects.count() == 0


def test_the_question_costs_the_same_however_much_goes(synced):
    client = administrator()
    statements = []
    for number in (0, MANY):
        bind(synced.routes.first(), number)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            answer = client.get(page(synced))
        assert answer.status_code == 200
        statements.append(len(asked))
    assert statements[0] == statements[1]
    assert f"bindings: {MANY + 1:,}" in answer.content.decode()


def deleted(client, owner):
    """The job that deletes it."""
    answer = client.post(page(owner), {"post": "yes"})
    job = Job.objects.latest("created_at")
    assert answer["Location"] == reverse("admin:jobs_job_change", args=[job.pk])
    return job


def test_much_is_deleted_by_a_job_in_slices(synced, monkeypatch):
    slices = []
    delete = removal._delete

    def noted(progress, rows, keys):
        slices.append((rows.model.__name__, len(keys)))
        delete(progress, rows, keys)

    monkeypatch.setattr(removal, "_delete", noted)
    bind(synced.routes.first(), MANY)
    run = wake(target=synced, trigger=Run.Trigger.MANUAL)
    job = deleted(administrator(), synced)
    synced.refresh_from_db()
    run.refresh_from_db()
    assert (synced.enabled, run.state) == (False, Run.State.CANCELLED)
    assert Binding.objects.filter(route__target=synced).count() == MANY + 1
    work_here(job)
    assert (job.state, job.error, job.done, job.total) == ("done", "", job.total, MANY + 1 + 2 + 2 + 1)
    assert [one for one in slices if one[0] == "Binding"] == [
        ("Binding", 1000),
        ("Binding", 1000),
        ("Binding", 101),
    ]
    assert (left()["Target"], left()["Binding"], left()["Run"]) == (1, 1, 1)


def test_the_job_of_a_route_leaves_the_target_and_goes_on_in_turns(synced, monkeypatch):
    monkeypatch.setattr(removal, "TURN", -1)
    route, other = synced.routes.order_by("pk")
    bind(route, MANY)
    child = Binding.objects.create(route=other, object_key="child", parent=Binding.objects.filter(route=route).first())
    job = deleted(administrator(), route)
    turns = 0
    while job.state != "done" and turns < 10:
        work_here(job)
        turns += 1
    assert (job.done, job.total, turns) == (job.total, job.total, 5)  # three of bindings, the route, nothing
    child.refresh_from_db()
    assert (child.parent, [*synced.routes.all()]) == (None, [other])


def test_the_job_checks_the_permission_when_it_runs(synced):
    bind(synced.routes.first(), MANY)
    job = deleted(sign_in("syncer.delete_target", "syncer.view_target"), synced)
    job.user.user_permissions.clear()
    work_here(Job.objects.get(pk=job.pk))
    assert Job.objects.get().error == "You need the permission syncer.delete_target to delete targets."
    assert left()["Target"] == 2
