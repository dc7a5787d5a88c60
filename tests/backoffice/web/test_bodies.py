"""What a body may be, and what it holds while it is there."""

import asyncio
from typing import Any

import pytest
from django.test import Client

from backoffice.web.bodies import Body, RefusedError, disk
from backoffice.web.environ import to_environ
from backoffice.web.uploads import AROUND, most_bytes
from content.base.transfer import MAX_BYTES
from tests.content.pages import sign_in

IMPORT = "/admin/news/post/import/"


def scope(path="/admin/login/", **headers) -> Any:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http", "method": "POST", "scheme": "http", "http_version": "1.1", "query_string": b"",
        "raw_path": path.encode(), "headers": named, "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 9999),
    }  # fmt: skip


def read(environ, *parts, gone=False, most=0):
    """The body that these parts make; `most` is what the person may send."""
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages.append({"type": "http.disconnect"} if gone else {"type": "http.request", "body": b"", "more_body": False})

    async def receive():
        return messages.pop(0)

    async def most_of(_environ):
        return most

    body = Body(environ, most_of)
    try:
        asyncio.run(body.read(receive))
        return body.file.read()
    finally:
        body.close()
        assert disk.bytes == 0


def test_a_body_in_memory_and_one_on_disk_come_whole():
    environ = to_environ(scope(authorization="Bearer x"))
    for parts in ([b"a", b"b"], [b"a" * 60_000, b"b" * 60_000, b"c"]):
        assert read(environ, *parts) == b"".join(parts)


def test_a_body_whose_client_left_is_not_taken_for_the_whole():
    with pytest.raises(RefusedError) as refused:
        read(to_environ(scope()), b"a", gone=True)
    assert refused.value.status == 400


@pytest.mark.parametrize(("size", "most"), [(100_000, 0), (200_000, 200_000)])
def test_what_a_person_may_send_is_asked_beyond_the_first_limit(size, most):
    assert len(read(to_environ(scope()), b"a" * size, most=most)) == size


def test_what_is_more_than_a_person_may_send_is_refused():
    with pytest.raises(RefusedError) as refused:
        read(to_environ(scope()), b"a" * 100_001)
    assert refused.value.status == 413


def test_bodies_that_the_disk_has_no_room_for_are_refused(settings):
    settings.WEB_SPOOL_BYTES = 100_000
    environ = to_environ(scope(authorization="Bearer x"))
    assert read(environ, b"a" * 70_000)
    with pytest.raises(RefusedError) as refused:
        read(environ, b"a" * 70_000, b"b" * 70_000)
    assert refused.value.status == 503


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("permissions", "path", "most"),
    [
        (["news.import_post", "news.view_post"], IMPORT, MAX_BYTES + AROUND),
        (["news.view_post"], IMPORT, 0),
        (["news.import_post", "news.view_post"], "/admin/news/post/add/", 0),
        (["news.import_post", "news.view_post"], "/nowhere/", 0),
        (None, IMPORT, 0),
    ],
)
def test_only_a_file_to_import_may_be_large_and_of_those_who_may_import(permissions, path, most):
    client = Client() if permissions is None else sign_in(*permissions)
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    assert most_bytes(to_environ(scope(path, cookie=cookies))) == most


def test_of_two_headers_only_the_one_that_a_proxy_sets_counts():
    headers = [(b"x-forwarded-for", b"1.1.1.1"), (b"x_forwarded_for", b"6.6.6.6"), (b"x-forwarded-for", b"2.2.2.2")]
    assert to_environ(scope() | {"headers": headers})["HTTP_X_FORWARDED_FOR"] == "1.1.1.1,2.2.2.2"
