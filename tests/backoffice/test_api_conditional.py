"""`ETag`, `If-None-Match` and `If-Match` (RFC 9110, section 13)."""

import pytest

from content.news.models import Post
from tests.backoffice.at_once import at_once
from tests.content.api_client import ApiClient, errors, make_user

POSTS = "/api/news/posts/"
BODY = {"title": "New", "body": "New"}


@pytest.fixture
def post(db):
    return Post.objects.create(title="T", body="B")


def address(post):
    return f"{POSTS}{post.pk}/"


def test_the_tag_names_the_history_version_the_api_version_and_the_columns(api, post):
    whole, part = api.get(address(post))["ETag"], api.get(address(post), {"fields": "title"})["ETag"]
    assert whole == f'"{post.history.latest().history_id}-1"'
    assert part.startswith(whole[:-1])
    assert part != whole
    assert part != api.get(address(post), {"fields": "body"})["ETag"]


def test_a_write_answers_the_new_tag(api, post):
    tag = api.get(address(post))["ETag"]
    for method in ("PATCH", "PUT"):
        answer = api.send(method, address(post), BODY | {"title": method})
        assert answer["ETag"] != tag
        assert answer["ETag"] == (tag := api.get(address(post))["ETag"])
    made = api.send("POST", POSTS, BODY)
    assert made["ETag"] == api.get(made["Location"])["ETag"]


@pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', "*"])
def test_what_the_client_has_already_is_not_sent_again(api, post, form):
    tag = api.get(address(post))["ETag"]
    answer = api.get(address(post), headers={"If-None-Match": form.format(tag)})
    assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", tag)


def test_what_changed_is_sent_again(api, post):
    tag = api.get(address(post))["ETag"]
    Post.objects.filter(pk=post.pk).update(title="X")
    assert api.get(address(post), headers={"If-None-Match": tag}).status_code == 200


def write(api, method, post, tag, *, name="If-Match"):
    return api.send(method, address(post), BODY, headers={name: tag})


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_write_over_a_newer_version_is_refused_and_writes_nothing(api, post, method):
    tag = api.get(address(post))["ETag"]
    Post.objects.filter(pk=post.pk).update(title="Somebody's")
    answer = write(api, method, post, tag)
    assert answer.status_code == 412
    assert errors(answer) == {}
    assert "Read it again" in answer.json()["detail"]
    assert Post.objects.get().title == "Somebody's"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("fields", ["", "title"])
def test_a_write_of_the_version_that_was_read_passes(api, post, method, fields):
    tag = api.get(address(post), {"fields": fields} if fields else {})["ETag"]
    assert write(api, method, post, tag).status_code in (200, 204)
    assert not Post.objects.filter(title="T").exists()


@pytest.mark.parametrize("tag", ['"x"', "x", '"1"', "W/{}", "", f'"{"1" * 5000}-1"'], ids=lambda tag: tag[:8])
def test_a_tag_that_is_not_the_stored_one_never_passes(api, post, tag):
    """A weak tag too: If-Match compares strongly (RFC 9110, section 13.1.1)."""
    answer = write(api, "PATCH", post, tag.format(api.get(address(post))["ETag"]))
    assert answer.status_code == 412


def test_any_version_will_do_where_the_client_says_so(api, post):
    assert write(api, "PATCH", post, "*").status_code == 200


def test_a_write_may_be_meant_for_what_is_not_that_version(api, post):
    tag = api.get(address(post))["ETag"]
    assert write(api, "PATCH", post, tag, name="If-None-Match").status_code == 412
    assert write(api, "PATCH", post, "*", name="If-None-Match").status_code == 412
    assert write(api, "PATCH", post, '"0-1"', name="If-None-Match").status_code == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_what_is_not_there_matches_no_tag(api, post, method):
    tag = api.get(address(post))["ETag"]
    Post.objects.all().delete()
    assert write(api, method, post, tag).status_code == 412


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_writes_of_one_version_at_once_one_is_refused():
    post, user = Post.objects.create(title="T", body="B"), make_user()

    def edit(_):
        return write(ApiClient(user), "PATCH", post, tag).status_code

    for _ in range(5):
        Post.objects.filter(pk=post.pk).update(title="T", body="B")
        tag = ApiClient(user).get(address(post))["ETag"]
        assert sorted(at_once(2, edit)) == [200, 412]
