"""Hold and release in the JSON API."""

import pytest

from syncer.models import Binding
from tests.content.pages import administrator, sign_in
from tests.syncer.conftest import sync
from tests.syncer.support import binding_of, requests

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/api/sync/holds/"


def send(client, how, **body):
    return client.post(f"{URL}{how}/", {"model": "news.Post", **body}, "application/json")


def test_it_holds_lists_and_releases(target, post, remote):
    client = administrator()
    answer = send(client, "hold", ids=[post.pk], reason="Not yet")
    assert (answer.status_code, answer.json()) == (200, {"number": 1})
    sync(target)
    assert requests(remote) == []
    page = client.get(URL).json()
    assert page["number"] == 1
    [held] = page["held"]
    assert (held["object"], held["by"], held["reason"], held["changed"]) == (
        f"news.Post:{post.pk}", "administrator", "Not yet", True,
    )  # fmt: skip
    assert client.get(f"{URL}?model=news.Comment").json()["number"] == 0
    assert send(client, "release", ids=[str(post.pk)], target="fakeapi").json() == {"number": 1}
    assert not binding_of(post).on_hold


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"ids": [1]}, 422),
        ({"ids": [], "reason": "R"}, 422),
        ({"ids": ["x"], "reason": "R"}, 422),
        ({"ids": [4711], "reason": "R"}, 422),
        ({"ids": [10**30], "reason": "R"}, 422),
        ({"ids": [1], "reason": " "}, 422),
        ({"ids": [1], "reason": "R", "model": "news.Nothing"}, 422),
        ({"ids": [1], "reason": "R", "target": "nowhere"}, 422),
    ],
)
def test_what_can_not_be_held_is_refused(target, body, status):
    assert send(administrator(), "hold", **body).status_code == status
    assert not Binding.objects.exists()


def test_only_who_may_sync_sees_holds_or_releases(target, post):
    client = sign_in("syncer.view_target", "syncer.view_binding")
    answers = [send(client, "hold", ids=[post.pk], reason="R"), send(client, "release", ids=[post.pk]), client.get(URL)]
    assert {answer.status_code for answer in answers} == {403}
    assert not Binding.objects.exists()
