"""The proxy loses what a test plans, and nothing else: otherwise the flows would prove nothing."""

from http.client import HTTPException

import pytest

from tests.real.servers import JsonServer, Kinto, PocketBase
from tests.real.support import LOST

pytestmark = pytest.mark.parametrize("started", [JsonServer, Kinto, PocketBase], indirect=True)


@pytest.fixture
def through(server, proxy):
    """The same server, asked through the proxy."""
    return type(server)(str(proxy.port))


def test_what_is_not_to_fail_passes_unchanged(server, through):
    post = through.add(title="A", body="B\u00e9", user_id=1)
    through.change(post, body="C")
    assert [(post["title"], post["body"]) for post in server.posts()] == [("A", "C")]
    assert through.posts() == server.posts()
    through.remove(post)
    assert server.posts() == []


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_request_is_carried_out_or_not_as_planned(server, through, proxy, fault):
    with (
        proxy.fault(method="POST", **{**LOST[fault], "most": 0.1}),
        pytest.raises((OSError, HTTPException, AssertionError)),
    ):
        through.add(title="A", user_id=1)
    assert len(server.posts()) == (fault != "reset before it arrives")
    through.add(title="B", user_id=1)


def test_the_addresses_of_pages_lead_through_the_proxy(server, through, proxy):
    for number in range(12):
        server.add(title=f"Post {number}", user_id=1)
    answer, headers = through.ask("GET", f"{server.path}?_page=1")
    assert server.address not in f"{answer} {dict(headers)}"
    match server:
        case JsonServer():
            assert f'<http://{through.address}/posts?_page=2>; rel="next"' in headers["Link"]
        case Kinto():
            proxy.clear_journal()
            assert len(through.posts()) == 12
            assert [entry.status for entry in proxy.journal] == [200, 200]
