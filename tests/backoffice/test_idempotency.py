"""`Idempotency-Key`: the same request sent again gets the first answer, and nothing is done twice."""

import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.utils import timezone
from ninja import NinjaAPI, Router

from backoffice.kit.api import problems
from backoffice.kit.api.problems import ProblemError
from backoffice.kit.api.responses import dumps, json_response
from backoffice.kit.auth import TokenAuth
from backoffice.kit.idempotency.decorators import answer_is_secret, idempotent, not_atomic
from backoffice.kit.idempotency.models import KeptAnswer
from backoffice.kit.idempotency.service import BUSY, KEPT, LEASE, PRUNE_EVERY, claim, prune
from content.news.models import Comment, Post
from syncer.management.commands import worker
from tests.backoffice.at_once import at_once
from tests.content.api_client import ApiClient, make_user

POSTS = "/api/news/posts/"
NEW_POST = {"title": "T", "body": "B"}
KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
WAIT = 20  # seconds that a thread may take

pytestmark = pytest.mark.django_db


def post(client, data=NEW_POST, *, key=KEY, to=POSTS):
    return client.generic("POST", to, dumps(data), "application/json", headers={"Idempotency-Key": key})


# --- the whole API ----------------------------------------------------------------------------------------------------
def test_the_first_answer_is_repeated_and_nothing_is_written_again(api):
    first, second = post(api), post(api)
    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert (first["Location"], first["Content-Type"]) == (second["Location"], second["Content-Type"])
    assert ("Idempotency-Replayed" in first, second["Idempotency-Replayed"]) == (False, "true")
    assert Post.objects.count() == Post.history.count() == 1


def test_without_a_key_every_request_is_carried_out(api):
    for _ in range(2):
        assert api.send("POST", POSTS, NEW_POST).status_code == 201
    assert (Post.objects.count(), KeptAnswer.objects.count()) == (2, 0)


def test_another_body_under_the_same_key_is_refused(api):
    post(api)
    answer = post(api, NEW_POST | {"title": "Other"})
    assert answer.status_code == 422
    assert "take a new key" in answer.json()["detail"]
    assert Post.objects.count() == 1


def test_another_key_is_another_request(api):
    post(api)
    assert post(api, key="other").status_code == 201
    assert Post.objects.count() == 2


def test_the_same_key_at_another_address_is_another_request(api):
    comment = {"name": "N", "email": "reader@example.com", "body": "B"}
    for number in (1, 2):
        Post.objects.create(pk=number, title="T", body="B")
        assert post(api, comment, to=f"{POSTS}{number}/comments/").status_code == 201
    assert sorted(Comment.objects.values_list("post", flat=True)) == [1, 2]


def test_a_key_belongs_to_whoever_sent_it(api):
    post(api)
    answer = post(ApiClient(make_user("chief")))
    assert (answer.status_code, "Idempotency-Replayed" in answer) == (201, False)


def test_a_key_may_stand_in_quotes_as_the_standard_writes_it_and_the_slash_may_be_missing(api):
    post(api)
    assert post(api, key=f'"{KEY}"')["Idempotency-Replayed"] == "true"
    assert post(api, to=POSTS[:-1])["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "a\tb", "ä", "a\x7f"], ids=ascii)
def test_a_malformed_key_is_refused(api, key):
    assert post(api, key=key).status_code == 400
    assert not Post.objects.exists()


def test_a_refusal_of_the_operation_is_kept(api):
    first, second = post(api, {"title": "", "body": "B"}), post(api, {"title": "", "body": "B"})
    assert first.status_code == second.status_code == 422
    assert first.json() == second.json()
    assert second["Idempotency-Replayed"] == "true"


def test_what_is_refused_before_the_operation_keeps_nothing(api):
    assert post(api, {"titel": "T"}).status_code == 422
    assert post(Client()).status_code == 401
    assert not KeptAnswer.objects.exists()


def test_a_missing_permission_is_not_kept_as_it_may_be_given(api):
    user = make_user("newcomer", permissions=[])
    assert post(ApiClient(user)).status_code == 403
    user.is_superuser = True
    user.save()
    assert post(ApiClient(user)).status_code == 201


def test_other_methods_take_no_notice_of_the_header(api):
    one = Post.objects.create(**NEW_POST)
    for title in ("A", "B"):
        api.patch(f"{POSTS}{one.pk}/", {"title": title}, "application/json", headers={"Idempotency-Key": KEY})
    assert Post.objects.get().title == "B"


def test_tokens_are_never_kept_and_nothing_that_was_sent_is():
    make_user(password="correct-horse-battery")
    credentials = {"username": "editor", "password": "correct-horse-battery"}
    first = post(Client(), credentials, to="/api/token/")
    again = post(Client(), {"refresh": first.json()["refresh"]}, to="/api/token/refresh/")
    assert (first.status_code, again.status_code) == (200, 200)
    assert not KeptAnswer.objects.exists()


def test_the_kept_row_shows_neither_the_key_nor_who_sent_what(api):
    post(api, NEW_POST | {"title": ""})
    row = str(KeptAnswer.objects.values().get())
    assert KEY not in row
    assert POSTS not in row


# --- operations of its own kind ---------------------------------------------------------------------------------------

router = Router()
inside = threading.Event()
go_on = threading.Event()


def add_post() -> HttpResponse:
    return json_response({"id": Post.objects.create(**NEW_POST).pk}, status=201)


def wait() -> None:
    inside.set()
    assert go_on.wait(WAIT)


@router.post("/refuse")
def refuse(request: HttpRequest, raises: bool) -> HttpResponse:
    add_post()
    if raises:
        raise ProblemError(409, "No.")
    return ProblemError(409, "No.").response()


@router.post("/crash")
def crash(request: HttpRequest, dies: bool = False) -> HttpResponse:
    add_post()
    raise SystemExit if dies else RuntimeError


@router.post("/slow")
def slow(request: HttpRequest) -> HttpResponse:
    response = add_post()
    if not inside.is_set():
        wait()
    return response


@router.post("/fetch")
@not_atomic
def fetch(request: HttpRequest) -> HttpResponse:
    assert connection.get_autocommit(), "no transaction may be open while others are asked"
    wait()
    return add_post()


@router.post("/ask")
@not_atomic
def ask(request: HttpRequest, status: int) -> HttpResponse:
    raise ProblemError(status, "No.")


@router.post("/secret")
@answer_is_secret
def secret(request: HttpRequest) -> HttpResponse:
    return json_response({"key": "s3cret"}, status=201)


@router.post("/shape")
def shape(request: HttpRequest) -> dict[str, int]:
    return {"id": 1}


def api_of(name: str) -> NinjaAPI:
    """As backoffice.api: the one router is mounted by each version."""
    api = NinjaAPI(urls_namespace=f"idempotency-{name}", auth=[TokenAuth()], docs_url=None, openapi_url=None)
    problems.install(api)
    api.add_decorator(idempotent, mode="operation")
    api.add_router("/", router)
    return api


urlpatterns = [path(f"api/{name}/", api_of(name).urls) for name in ("one", "two")]
own_urls = pytest.mark.urls(__name__)


@own_urls
@pytest.mark.parametrize("raises", [False, True])
@pytest.mark.parametrize("mount", ["one", "two"])
def test_an_error_takes_its_write_back_and_is_kept(api, mount, raises):
    for _ in range(2):
        answer = post(api, to=f"/api/{mount}/refuse?raises={raises}")
        assert (answer.status_code, answer["Content-Type"]) == (409, problems.CONTENT_TYPE)
    assert answer["Idempotency-Replayed"] == "true"
    assert not Post.objects.exists()


@own_urls
@pytest.mark.parametrize("way", ["crash", "ask?status=502"])
def test_a_failure_of_ours_or_of_others_is_tried_again(api, way):
    for _ in range(2):
        answer = post(api, to=f"/api/one/{way}")
        assert (answer.status_code >= 500, "Idempotency-Replayed" in answer) == (True, False)
    assert (Post.objects.count(), KeptAnswer.objects.count()) == (0, 0)


@own_urls
def test_what_dies_between_the_write_and_its_answer_leaves_neither(api):
    with pytest.raises(SystemExit):
        post(api, to="/api/one/crash?dies=true")
    assert (Post.objects.count(), KeptAnswer.objects.exclude(status=None).count()) == (0, 0)


@own_urls
def test_an_operation_apart_keeps_its_refusals_too(api):
    assert post(api, to="/api/one/ask?status=410").status_code == 410
    assert post(api, to="/api/one/ask?status=410")["Idempotency-Replayed"] == "true"


@own_urls
def test_a_secret_answer_is_not_kept(api):
    assert post(api, to="/api/one/secret").status_code == 201
    assert not KeptAnswer.objects.exists()


@own_urls
def test_an_operation_whose_answer_can_not_be_kept_is_a_fault(api):
    assert post(api, to="/api/one/shape").status_code == 500
    assert not KeptAnswer.objects.exists()


# --- at the same time -------------------------------------------------------------------------------------------------
@contextmanager
def at_work(client, to):
    """While it is open, a request is being carried out in another thread; its answer comes into the list."""
    inside.clear()
    go_on.clear()
    answers = []

    def send():
        answers.append(post(client, to=to))
        connection.close()

    thread = threading.Thread(target=send)
    thread.start()
    try:
        assert inside.wait(WAIT)
        yield answers
    finally:
        go_on.set()
        thread.join(WAIT)
    assert not thread.is_alive()


on_its_own = pytest.mark.django_db(transaction=True)


@own_urls
@on_its_own
def test_a_concurrent_request_with_the_same_key_has_to_wait(api):
    with at_work(api, "/api/one/fetch") as answers:
        answer = post(api, to="/api/one/fetch")
        assert (answer.status_code, answer["Retry-After"], answer.json()["detail"]) == (409, "1", BUSY)
    assert post(api, to="/api/one/fetch").content == answers[0].content
    assert Post.objects.count() == 1


@own_urls
@on_its_own
@pytest.mark.postgres
def test_a_concurrent_request_inside_a_transaction_has_to_wait_too(api):
    with at_work(api, "/api/one/slow") as answers:
        assert post(api, to="/api/one/slow").status_code == 409
    assert (answers[0].status_code, Post.objects.count()) == (201, 1)


@on_its_own
def test_of_many_at_once_one_writes_and_none_gets_another_answer():
    user = make_user()
    answers = at_once(6, lambda _: post(ApiClient(user)))
    assert Post.objects.count() == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1


@own_urls
@on_its_own
@pytest.mark.postgres
def test_one_that_was_taken_over_commits_nothing(api):
    with at_work(api, "/api/one/slow") as late:
        KeptAnswer.objects.update(lease_until=timezone.now())
        successor = post(api, to="/api/one/slow")
        assert successor.status_code == 201
    assert late[0].status_code == 409
    assert [f'{{"id":{one.pk}}}'.encode() for one in Post.objects.all()] == [successor.content]
    assert post(api, to="/api/one/slow").content == successor.content


def test_a_claim_whose_lease_ran_out_is_taken_over_by_one():
    first = claim(digest="d", fingerprint="f")
    with pytest.raises(ProblemError, match="being answered"):
        claim(digest="d", fingerprint="f")
    KeptAnswer.objects.update(lease_until=timezone.now())
    second = claim(digest="d", fingerprint="f")
    assert second.holder != first.holder
    with pytest.raises(ProblemError, match="being answered"):
        claim(digest="d", fingerprint="f")
    assert KeptAnswer.objects.get().lease_until > timezone.now() + LEASE / 2


# --- how long ---------------------------------------------------------------------------------------------------------
def test_an_answer_is_kept_for_a_day(api):
    post(api)
    KeptAnswer.objects.update(created_at=timezone.now() - KEPT + timedelta(minutes=1))
    assert prune() == 0
    assert post(api)["Idempotency-Replayed"] == "true"
    KeptAnswer.objects.update(created_at=timezone.now() - KEPT)
    assert post(api, NEW_POST | {"title": "Other"}).status_code == 201, "its time is over, pruned or not"


def test_what_was_kept_for_its_time_is_pruned_at_most_once_a_minute(api):
    for key, age in (("a", KEPT + PRUNE_EVERY), ("b", KEPT), ("c", KEPT - PRUNE_EVERY)):
        post(api, key=key)
        KeptAnswer.objects.filter(created_at__gt=timezone.now() - PRUNE_EVERY).update(created_at=timezone.now() - age)
    assert prune() == 2
    KeptAnswer.objects.update(created_at=timezone.now() - KEPT)
    assert prune() == 0


@on_its_own
def test_the_worker_prunes(api):
    post(api)
    KeptAnswer.objects.update(created_at=timezone.now() - KEPT - PRUNE_EVERY)
    worker.Chores(worker.CHORES).do()
    assert not KeptAnswer.objects.exists()
