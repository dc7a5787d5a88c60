"""The HTTP clients, against a server that really does it."""

import json
import threading
import time
from dataclasses import replace

import pytest

from backoffice.kit.http import LostError, NotSentError, Request
from tests.backoffice.raw_server import nothing, raw_server, says
from tests.backoffice.transports import TRANSPORTS, sending
from tests.remote import Fault
from tools.servers import free_port

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture(params=TRANSPORTS)
def client(request):
    with sending(request.param) as client:
        yield client


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
        opened.sendall(b"HTTP/1.1 200 OK\r\n" + head)
        for byte in b"x" * 2000:
            opened.sendall(bytes([byte]))
            threading.Event().wait(0.05)

    started = time.monotonic()
    # libcurl does not tell of a header before its end, so that it counts as silence.
    why = (
        r"did not (finish its answer within 1|answer within 0\.5) s"
        if b"X" in head
        else "did not finish its answer within 1 s"
    )
    with raw_server(send_slowly) as server, pytest.raises(LostError, match=why):
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


def test_a_fresh_request_does_not_go_out_on_a_kept_connection(client):
    """A server that closes kept connections may do so while the next request is on its way."""
    used = set()

    def answer_once(opened):
        if opened in used:
            nothing(opened)
        else:
            used.add(opened)
            opened.sendall(OK)

    with raw_server(answer_once) as server:
        put, create = (Request(method=method, url=server.url, fresh=method == "POST") for method in ("PUT", "POST"))
        assert client.send(put).status == 200
        with pytest.raises(LostError, match="closed the connection before it answered"):
            client.send(put)
        assert client.send(put).status == 200
        assert client.send(create).status == client.send(create).status == 200
    assert [heard.split()[0] for heard in server.heard if heard] == [b"PUT", b"PUT", b"POST", b"POST"]


def test_a_get_that_meets_the_end_of_a_kept_connection_is_sent_once_more(client):
    answers = iter([says(OK), nothing, says(OK), nothing, nothing])
    with raw_server(lambda opened: next(answers)(opened)) as server:
        get = Request(method="GET", url=server.url)
        assert [client.send(get).status for _ in range(2)] == [200, 200]
        with pytest.raises(LostError, match="closed the connection before it answered"):
            client.send(get)


def test_a_fresh_request_leaves_its_connection_for_the_next_one(client):
    with raw_server(says(OK)) as server:
        client.send(Request(method="POST", url=server.url, fresh=True))
        client.send(Request(method="GET", url=server.url))
    assert len(server.heard) == 1


def test_a_request_keeps_its_own_headers_and_parameters_beside_the_defaults(client, remote):
    headers = {"X-Api-Key": "default", "Idempotency-Key": "default", "Content-Type": "application/vnd.api+json"}
    query = {"title": "default", "userId": "2", "a": "b&c"}
    own = Request(
        method="POST",
        url=f"{remote.url}/posts?userId=1",
        query={"title": ""},
        headers={"x-api-key": "own", "idempotency-key": ""},
    )
    for request in (replace(own, body={}), own):
        client.send(request.with_defaults(headers, query))
    entry, without_body = remote.journal
    assert entry.query == {"userId": "1", "title": "", "a": "b&c"}
    assert (entry.headers["X-Api-Key"], entry.headers["Idempotency-Key"]) == ("own", "")
    assert entry.headers["Content-Type"] == "application/vnd.api+json"
    assert "Content-Type" not in without_body.headers
