"""A node on SQLite whose one writer is somebody else for too long: what each way in answers."""

import base64
from contextlib import ExitStack

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from backoffice.accounts.models import User
from content.news.models import Post
from syncer.models import Target
from tests.backoffice.writing import somebody_writes
from tests.content.pages import form_of

pytestmark = [pytest.mark.sqlite, pytest.mark.law, pytest.mark.django_db(transaction=True)]

NAME, PASSWORD = "administrator", "correct horse battery"
BASIC = {"Authorization": f"Basic {base64.b64encode(f'{NAME}:{PASSWORD}'.encode()).decode()}"}
JSON = {"content_type": "application/json"}
ADD = "/admin/news/post/add/"


@pytest.fixture
def client():
    """A browser of the administrator, that waits for no other writer."""
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_superuser(NAME, password=PASSWORD))
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 0")
    yield client
    connection.close()


@pytest.fixture
def locked(client):
    """`locked()` makes somebody else write, until the end."""
    with ExitStack() as until_the_end:
        yield lambda: until_the_end.enter_context(somebody_writes())


WAYS = {
    "a save": lambda client, post, form: client.post(ADD, form),
    "a delete": lambda client, post, form: client.post(f"/admin/news/post/{post.pk}/delete/", {"post": "yes"}),
    "a sign-in": lambda client, post, form: Client(raise_request_exception=False).post(
        "/admin/login/", {"username": NAME, "password": PASSWORD}
    ),
    "a wrong sign-in": lambda client, post, form: Client(raise_request_exception=False).post(
        "/admin/login/", {"username": NAME, "password": "wrong"}
    ),
    "a sign-out": lambda client, post, form: client.post("/admin/logout/"),
    "sync now": lambda client, post, form: client.post(reverse("admin:syncer_target_sync_all")),
}
API_WAYS = {
    "a create": lambda client, post: client.post(
        "/api/news/posts/", {"title": "T", "body": "B"}, headers=BASIC, **JSON
    ),
    "a repeatable create": lambda client, post: client.post(
        "/api/news/posts/", {"title": "T", "body": "B"}, headers=BASIC | {"Idempotency-Key": "one"}, **JSON
    ),
    "a change": lambda client, post: client.patch(f"/api/news/posts/{post.pk}/", {"title": "T"}, headers=BASIC, **JSON),
    "a delete": lambda client, post: client.delete(f"/api/news/posts/{post.pk}/", headers=BASIC),
    "a wrong password": lambda client, post: client.post(
        "/api/token/", {"username": NAME, "password": "wrong"}, **JSON
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_page_says_that_the_database_is_busy_and_when_to_try_again(client, locked, way):
    post = Post.objects.create(title="A", body="B")
    form = form_of(client.get(ADD), "post_form") | {"title": "T", "body": "B"}
    Target.objects.create(name="demo", url="https://demo.example")
    locked()
    answer = WAYS[way](client, post, form)
    assert (answer.status_code, answer.get("Retry-After")) == (503, "5")
    assert "The database is busy or away" in answer.content.decode()
    assert Post.objects.get().title == "A"


@pytest.mark.parametrize("way", API_WAYS)
def test_the_api_says_it_as_a_problem(client, locked, way):
    post = Post.objects.create(title="A", body="B")
    locked()
    answer = API_WAYS[way](Client(raise_request_exception=False), post)
    assert (answer.status_code, answer.get("Retry-After")) == (503, "5")
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/admin/", "/admin/news/post/", "/admin/search/?s=about", "/api/news/posts/"])
def test_whoever_reads_does_not_notice(client, locked, path):
    locked()
    assert client.get(path).status_code == 200
