"""The HTTP client, against a server that really does it."""

import json
import threading
import time

import pytest

from backoffice.kit.http import Client, LostError, NotSentError, Request
from tests.backoffice.raw_server import raw_server
from tests.postgres import free_port
from tests.remote import Fault


@pytest.fixture
def client():
    return Client(timeout=0.5, allow_private=True)


def post(remote):
    return Request(method="POST", url=f"{remote.url}/posts", body={"title": "A"}, headers={"Idempotency-Key": "k"})


def test_a_request_and_its_answer(client, remote):
    answer = client.send(post(remote))
    assert (answer.status, json.loads(answer.body)) == (201, {"title": "A", "id": 1})
    assert answer.headers["content-type"].startswith("application/json")
    assert remote.journal[0].headers["Idempotency-Key"] == "k"


def test_a_query_is_escaped(client, remote):
    client.send(Request(method="GET", url=f"{remote.url}/posts", query={"title": "a&b=c d"}))
    assert remote.journal[0].query == {"title": "a&b=c d"}


def test_a_refused_connection_was_not_sent(client):
    with pytest.raises(NotSentError, match="refused the connection"):
        client.send(Request(method="GET", url=f"http://127.0.0.1:{free_port()}/"))


def test_a_host_without_an_address_was_not_sent(client):
    with pytest.raises(NotSentError, match="can't be reached"):
        client.send(Request(method="GET", url="http://nowhere.invalid/"))


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"kind": Fault.RESET}, "closed the connection before it answered"),
        ({"kind": Fault.RESET, "act": True}, "closed the connection before it answered"),
        ({"kind": Fault.HANG}, "did not answer within 0.5 s"),
        ({"kind": Fault.CUT}, "sent a broken answer"),
        ({"kind": Fault.SLOW, "seconds": 4}, "did not finish its answer within 1 s"),
    ],
    ids=["reset before it was read", "reset after it was done", "hang", "cut", "slow"],
)
def test_what_may_have_arrived_is_lost(client, remote, fault, why):
    remote.fault(**fault)
    with pytest.raises(LostError, match=why) as lost:
        client.send(post(remote))
    assert lost.value.slow == ("within" in why)


def test_an_answer_without_end_is_given_up(client, remote):
    remote.fault(Fault.STATUS, status=200, body="x" * (9 * 1024 * 1024))
    with pytest.raises(LostError, match="more than 8388608 bytes"):
        client.send(post(remote))


@pytest.mark.parametrize("head", [b"X-Slow: ", b"Content-Length: 2000\r\n\r\n"], ids=["headers", "body"])
def test_no_answer_lasts_longer_than_a_request_may(client, head):
    def send_slowly(opened):
        for byte in b"HTTP/1.1 200 OK\r\n" + head + b"x" * 2000:
            opened.sendall(bytes([byte]))
            threading.Event().wait(0.05)

    started = time.monotonic()
    with raw_server(send_slowly) as server, pytest.raises(LostError, match="did not finish its answer within 1 s"):
        client.send(Request(method="GET", url=server.url))
    assert time.monotonic() - started < 60, "the whole answer would take more than a hundred seconds"


def test_a_header_that_can_not_be_sent_is_not_revealed(client, remote):
    with pytest.raises(NotSentError) as refusal:
        client.send(Request(method="GET", url=remote.url, headers={"X-Api-Key": "s3cret\nsecond line"}))
    assert "s3cret" not in str(refusal.value)


def test_bytes_are_sent_as_they_are(client, remote):
    client.send(Request(method="POST", url=f"{remote.url}/posts", body=b'{ "title":"A" }'))
    assert remote.journal[0].headers["Content-Type"] == "application/json"
    assert remote.posts[1]["title"] == "A"
