"""The Fake API is itself what the other tests trust."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
import requests

from tests.remote import Basic, Bearer, Fault, Header, Remote, Tokens
from tests.remote.ways import ALL, QUICK, STOPPED

POST = {"userId": 1, "title": "A", "body": "B"}
LOST = requests.exceptions.ConnectionError


@pytest.fixture
def http():
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def ask(http, remote):
    """Send a request to the Fake API: `ask("POST", "/posts", json=POST)`."""
    return partial(send, http, remote)


def send(http: requests.Session, remote: Remote, method: str, path: str, **options: Any) -> requests.Response:
    return http.request(method, remote.url + path, timeout=5, allow_redirects=False, **options)


def test_a_record_is_made_read_changed_and_deleted(remote, ask):
    made = ask("POST", "/posts", json=POST | {"id": 7}, headers={"Idempotency-Key": "k"})
    assert (made.status_code, made.json()) == (201, {"id": 1, **POST})
    assert ask("PATCH", "/posts/1", json={"title": "C"}).json() == {"id": 1, **POST, "title": "C"}
    assert ask("PUT", "/posts/1", json={"title": "D"}).json() == {"id": 1, "title": "D"}
    assert ask("GET", "/posts").json() == [{"id": 1, "title": "D"}]
    assert ask("DELETE", "/posts/1").json() == {}
    assert ask("DELETE", "/posts/1").status_code == 404
    assert [(e.method, e.status, e.applied) for e in remote.writes()] == [
        ("POST", 201, True),
        ("PATCH", 200, True),
        ("PUT", 200, True),
        ("DELETE", 200, True),
        ("DELETE", 404, False),
    ]
    assert remote.journal[0].headers["Idempotency-Key"] == "k"
    assert remote.posts == {}


@pytest.mark.parametrize(("cascade", "left"), [(True, [3]), (False, [1, 2, 3])])
def test_deleting_a_post_deletes_its_comments(remote, ask, cascade, left):
    remote.store.cascade = cascade
    remote.store.load("/posts", [POST, POST])
    for post in (1, 1, 2):
        assert ask("POST", f"/posts/{post}/comments", json={"name": "N"}).json()["postId"] == post
    assert len(ask("GET", "/posts/1/comments").json()) == 2
    ask("DELETE", "/posts/1")
    assert list(remote.comments) == left


def test_a_list_is_filtered_by_known_fields_only(remote, ask):
    remote.store.load("/posts", [POST, POST | {"userId": 2}])
    found = ask("GET", "/posts", params={"userId": 2, "nonsense": 1}).json()
    assert [record["id"] for record in found] == [2]


@pytest.mark.parametrize("address", [False, True])
def test_a_list_comes_in_pages(remote, http, address):
    remote.store.load("/posts", [POST] * 5)
    remote.page(2, address=address)
    ids: list[list[int]] = []
    url = f"{remote.url}/posts"
    while url and len(ids) < 4:
        page = http.get(url, timeout=5).json()
        ids.append([record["id"] for record in page["items"]])
        url = page["next"] and (page["next"] if address else f"{remote.url}/posts?cursor={page['next']}")
    assert ids == [[1, 2], [3, 4], [5]]


def test_faults_are_used_up_in_the_order_they_were_planned(remote, ask):
    remote.fault(Fault.STATUS, method="POST", path="/posts", status=429, retry_after=3)
    remote.fault(Fault.STATUS, method="POST", path="/posts", times=2, status=500, act=True)
    answers = [ask("POST", "/posts", json=POST) for _ in range(4)]
    assert [(a.status_code, a.headers.get("Retry-After")) for a in answers] == [
        (429, "3"),
        (500, None),
        (500, None),
        (201, None),
    ]
    assert [e.applied for e in remote.writes()] == [False, True, True, True]


def test_a_fault_can_be_for_one_record(remote, ask):
    remote.fault(Fault.STATUS, status=422, where=lambda body: body["title"] == "bad", times=None)
    titles = ["good", "bad", "bad"]
    statuses = [ask("POST", "/posts", json={"title": title}).status_code for title in titles]
    assert statuses == [201, 422, 422]


@pytest.mark.parametrize("act", [False, True])
def test_a_reset_loses_the_answer(remote, ask, act):
    remote.fault(Fault.RESET, act=act)
    # A client that is still sending when the RST comes learns of it there, and then reads an end.
    with pytest.raises(LOST, match=r"reset by peer|closed connection without response"):
        ask("POST", "/posts", json=POST)
    assert (remote.journal[0].applied, remote.journal[0].status, len(remote.posts)) == (act, None, int(act))
    assert ask("POST", "/posts", json=POST).status_code == 201


@pytest.mark.parametrize("act", [False, True])
def test_a_hanging_request_gets_no_answer(remote, http, act):
    rule = remote.fault(Fault.HANG, act=act)
    with pytest.raises(requests.exceptions.ReadTimeout):
        http.post(f"{remote.url}/posts", json=POST, timeout=0.2)
    rule.wait_arrived()
    assert len(remote.posts) == int(act)


@pytest.mark.parametrize(("act", "meanwhile"), [(True, 1), (False, 0)])
def test_a_held_request_goes_on_when_released(remote, ask, act, meanwhile):
    with ThreadPoolExecutor(1) as pool:
        with remote.hold("POST", "/posts", act=act) as held:
            answer = pool.submit(ask, "POST", "/posts", json=POST)
            held.wait_arrived()
            assert (len(remote.posts), answer.done()) == (meanwhile, False)
        assert (answer.result().status_code, len(remote.posts)) == (201, 1)


@pytest.mark.parametrize("kind", [Fault.TRUNCATED, Fault.HTML, Fault.EMPTY])
def test_an_answer_can_be_unreadable(remote, ask, kind):
    remote.fault(kind)
    answer = ask("POST", "/posts", json=POST)
    assert answer.ok
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()
    assert len(remote.posts) == 1


@pytest.mark.parametrize("kind", [Fault.HTML, Fault.EMPTY])
def test_what_was_not_carried_out_is_answered_by_no_success(remote, ask, kind):
    remote.fault(kind)
    assert ask("PUT", "/posts/1", json=POST).status_code == 404


def test_an_answer_can_end_midway(remote, ask):
    remote.fault(Fault.CUT)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        ask("POST", "/posts", json=POST)
    assert ask("GET", "/posts/1").json() == {"id": 1, **POST}


def test_an_answer_can_drip_slower_than_any_read_timeout_sees(remote, http):
    remote.fault(Fault.SLOW, seconds=0.5)
    began = time.monotonic()
    assert http.post(f"{remote.url}/posts", json=POST, timeout=0.3).json()["id"] == 1
    assert time.monotonic() - began > 0.4


def test_a_create_can_be_answered_with_the_wrong_id_or_none(remote, ask):
    remote.fault(Fault.NO_ID)
    remote.fault(Fault.FIXED_ID)
    assert ask("POST", "/posts", json=POST).json() == POST
    assert ask("POST", "/posts", json=POST).json() == {**POST, "id": 101}
    assert list(remote.posts) == [1]


def test_a_redirect_names_its_location(remote, ask):
    remote.fault(Fault.REDIRECT, status=308, location="/moved")
    answer = ask("PUT", "/posts/1", json=POST)
    assert (answer.status_code, answer.headers["Location"]) == (308, "/moved")


def test_a_stopped_remote_refuses_and_keeps_its_records(remote, ask):
    ask("POST", "/posts", json=POST)
    remote.stop()
    with pytest.raises(LOST, match="refused"):
        ask("GET", "/posts")
    remote.start()
    assert len(ask("GET", "/posts").json()) == 1


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        (Basic("editor", "pass"), {"Authorization": "Basic ZWRpdG9yOnBhc3M="}),
        (Bearer("t"), {"Authorization": "Bearer t"}),
        (Header("X-Key", "k"), {"X-Key": "k"}),
    ],
)
def test_only_those_who_sign_in_are_served(remote, ask, auth, headers):
    remote.require(auth)
    assert ask("POST", "/posts", json=POST).status_code == 401
    assert ask("POST", "/posts", json=POST, headers=headers).status_code == 201


def test_tokens_run_out_and_are_renewed(remote, ask):
    tokens = Tokens("editor", "pass")
    remote.require(tokens)
    assert ask("POST", "/token/", json={"username": "editor", "password": "x"}).status_code == 401
    given = ask("POST", "/token/", json={"username": "editor", "password": "pass"}).json()
    renewed = ask("POST", "/token/refresh/", json={"refresh": given["refresh"]}).json()

    def status(token):
        return ask("GET", "/posts", headers={"Authorization": f"Bearer {token}"}).status_code

    assert [status(given["access"]), status(renewed["access"]), status(given["refresh"])] == [200, 200, 401]
    tokens.expire()
    assert status(renewed["access"]) == 401
    assert (tokens.logins, tokens.refreshes, remote.writes()) == (1, 1, [])


def test_the_journal_can_be_waited_for(remote, ask):
    with ThreadPoolExecutor(1) as pool:
        pool.submit(ask, "POST", "/posts", json=POST)
        remote.wait_for(lambda: remote.writes() and remote.writes()[0].applied)
    with pytest.raises(TimeoutError, match="1 POST /posts → 201"):
        remote.wait_for(lambda: len(remote.writes()) == 2, seconds=0.05)


def test_chaos_repeats_itself_by_its_seed(http):
    def statuses() -> list[tuple[int | None, bool]]:
        with Remote() as remote:
            remote.chaos(seed=7, rate=0.5)
            for _ in range(30):
                with suppress(requests.exceptions.RequestException):
                    send(http, remote, "POST", "/posts", json=POST)
            return [(e.status, e.applied) for e in remote.journal]

    first = statuses()
    assert first == statuses()
    assert len(set(first)) > 3


def test_what_chaos_does_to_a_request_follows_from_its_number_alone(remote, ask):
    def faults(first: str) -> list[str]:
        remote.clear_journal()
        remote.chaos(seed="7", rate=0.5, ways=QUICK)  # of writes
        for method in [first] * 5 + ["DELETE"] * 20:
            with suppress(requests.exceptions.RequestException):
                ask(method, "/posts/1")
        return [entry.fault for entry in remote.journal][5:]

    assert faults("GET") == faults("DELETE")


def test_a_record_that_is_lost_takes_along_what_hung_under_it(remote, ask):
    remote.store.load("/posts", [POST, POST])
    for post in (1, 2):
        ask("POST", f"/posts/{post}/comments", json={"name": "N"})
    remote.fault(Fault.LOSE, method="PUT", status=410)
    assert ask("PUT", "/posts/1", json=POST).status_code == 410
    assert remote.lost == {"/posts/1", "/comments/1"}
    assert (list(remote.posts), list(remote.comments)) == ([2], [2])


def test_what_was_stopped_goes_on_after_its_time(remote, http):
    remote.fault(Fault.HOLD, act=False, most=0.3, name="late")
    with pytest.raises(requests.exceptions.ReadTimeout):
        http.post(f"{remote.url}/posts", json=POST, timeout=0.1)
    assert [(entry.fault, entry.applied) for entry in remote.journal] == [("late", False)]
    remote.wait_for(lambda: remote.journal[0].applied)


@pytest.mark.parametrize("way", [way for way in ALL if way not in STOPPED], ids=lambda way: way.name)
def test_no_way_of_chaos_lies(remote, ask, way):
    """What is answered as carried out was; what is answered as not carried out, or gone, was not."""
    remote.store.load("/posts", [POST])
    remote.chaos(seed=1, rate=1.0, ways=[way])
    method = way.methods[0]
    path = "/posts/1" if method in ("PUT", "DELETE") else "/posts"
    status = 0
    with suppress(requests.exceptions.RequestException):
        status = ask(method, path, json=POST | {"title": "new"}).status_code
    there = {record["title"] for record in remote.posts.values()}
    if method == "DELETE" or 300 <= status < 500:
        assert "new" not in there
    elif 200 <= status < 300:
        assert "new" in there
    assert remote.journal[0].fault == way.name


def test_half_a_request_is_not_a_request(remote):
    remote.honor_keys()
    head = b"POST /posts HTTP/1.1\r\nHost: a\r\nIdempotency-Key: k\r\nContent-Length: 20\r\n\r\n"
    with socket.create_connection(("127.0.0.1", remote.port), timeout=5) as client:
        client.sendall(head + b'{"title": "A')
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100) == b""
    with socket.create_connection(("127.0.0.1", remote.port), timeout=5) as client:
        client.sendall(head + b'{"title": "A whole"}')
        assert client.recv(100).startswith(b"HTTP/1.1 201")


def test_eight_threads_are_served_at_once(remote):
    def send(count: int) -> list[int]:
        with requests.Session() as session:
            return [session.post(f"{remote.url}/posts", json=POST, timeout=60).json()["id"] for _ in range(count)]

    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        ids = [key for made in pool.map(send, [75] * 8) for key in made]
    assert sorted(ids) == list(range(1, 601))
    assert time.monotonic() - began < 60


def test_a_key_that_comes_again_gets_the_first_answer_and_nothing_twice(remote, ask):
    def post(key: str, record: dict[str, Any], path: str = "/posts") -> tuple[int, Any]:
        answer = ask("POST", path, json=record, headers={"Idempotency-Key": key})
        return answer.status_code, answer.json().get("id")

    assert [post("a", POST), post("a", POST)] == [(201, 1), (201, 2)], "keys mean nothing unless they are honored"
    remote.honor_keys()
    assert [post("k", POST), post("k", POST), post("l", POST), post("k", POST, "/albums")] == [
        *[(201, 3), (201, 3)],
        *[(201, 4), (201, 1)],
    ]
    assert post("k", POST | {"title": "other"}) == (422, None)
    assert [entry.applied for entry in remote.writes()[2:]] == [True, False, True, True, False]
    remote.honor_keys(seconds=0)
    assert [post("k", POST), post("k", POST)] == [(201, 5), (201, 6)]


def test_the_journal_keeps_what_was_sent_byte_by_byte(remote, ask):
    headers = {"Content-Type": "application/json"}
    ask("POST", "/posts", data=b'{"title":  "A"}', headers=headers)
    assert remote.journal[0].raw == b'{"title":  "A"}'
