"""The engine in the JSON API: the deletes that wait for a person."""

import pytest

from content.news.models import Post
from syncer.models import Run
from syncer.recovery.deletes import review
from tests.content.pages import administrator, sign_in
from tests.syncer.conftest import sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.law]

URL = "/api/sync/targets/fakeapi/deletes/"


def decide(client, how, **body):
    return client.post(f"{URL}{how}/", body, "application/json")


def test_it_lists_what_waits(waiting):
    answer = sign_in("syncer.sync_target").get(URL).json()
    assert (answer["target"], answer["number"], answer["more"]) == ("fakeapi", 5, 0)
    assert answer["digest"] == review(waiting).digest
    why = "more than the 2 that the route allows in one run"
    assert answer["why"] == [{"model": "news.Post", "number": 5, "why": why}]
    assert len(answer["deletes"]) == 5
    assert administrator().get(f"{URL}?model=news.Comment").json()["number"] == 0


def test_allow_deletes_what_was_listed(waiting, remote):
    answer = decide(administrator(), "allow", digest=review(waiting).digest)
    assert (answer.status_code, answer.json()) == (200, {"number": 5, "run": Run.objects.latest("pk").pk})
    assert sync(waiting).message == "5 deleted."


def test_undo_restores_the_objects(waiting, remote):
    assert decide(administrator(), "undo", digest=review(waiting).digest).status_code == 200
    assert Post.objects.count() == 10


@pytest.mark.parametrize("how", ["allow", "undo"])
def test_what_was_not_listed_is_refused(waiting, how):
    answer = decide(administrator(), how, digest="0123456789abcdef")
    assert answer.status_code == 409
    assert "has changed since you looked" in answer.json()["detail"]


def test_only_who_may_sync_sees_or_decides(waiting):
    client = sign_in("syncer.view_target")
    assert client.get(URL).status_code == 403
    assert {decide(client, how, digest=review(waiting).digest).status_code for how in ("allow", "undo")} == {403}
    assert administrator().get("/api/sync/targets/nowhere/deletes/").status_code == 404


def test_undo_needs_the_permission_to_add_the_objects(waiting):
    answer = decide(sign_in("syncer.sync_target"), "undo", digest=review(waiting).digest)
    assert answer.status_code == 409
    assert "You need the permission news.add_post" in answer.json()["detail"]


def test_a_run_is_cancelled_once(target):
    run = Run.objects.create(target=target, trigger=Run.Trigger.MANUAL)
    url = f"/api/sync/runs/{run.pk}/cancel/"
    assert sign_in("syncer.view_run", name="viewer").post(url, {}, "application/json").status_code == 403
    client = administrator()
    assert client.post(url, {}, "application/json").json() == {"run": run.pk, "state": "cancelled"}
    assert client.post(url, {}, "application/json").status_code == 409
    assert client.post("/api/sync/runs/0/cancel/", {}, "application/json").status_code == 404
