"""What clients can't do to the web server, on a real one: all that is slow or large is theirs to wait for, not ours."""

import os
import socket
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import requests
from django.contrib.staticfiles.finders import find

from backoffice.web.command import words
from backoffice.web.environ import BLOCK
from tests.flows.wait import until
from tools.nodes import ROOT
from tools.processes import Processes
from tools.servers import free_port

HEAD = "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
THREADS = 4
MANY = 100  # more than there are threads


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """A web server that gives a body a second, and whose database takes connections and never answers."""
    folder, port = tmp_path_factory.mktemp("web"), free_port()
    silent = socket.create_server(("127.0.0.1", 0))
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgres://nobody@127.0.0.1:{silent.getsockname()[1]}/nothing?connect_timeout=2",
        "BACKOFFICE_ENV": "development",
        "BACKOFFICE_VAR": str(folder),
        "ALLOWED_HOSTS": "localhost",
        "WEB_BODY_SECONDS": "1",
        "WEB_THREADS": str(THREADS),
    }
    command = words("--port", str(port), "--workers", "1", "--workers-kill-timeout", "3")
    with silent, Processes() as processes:
        processes.start("web", command, environment=environment, folder=ROOT, log=folder / "web.log")
        until(lambda: processes.ended() or "Started worker-1" in (folder / "web.log").read_text(), seconds=60)
        assert processes.running, (folder / "web.log").read_text()
        yield port


def sent(port, text):
    """A connection on which that was sent."""
    connection = socket.create_connection(("localhost", port), timeout=20)
    connection.sendall(text.encode())
    return connection


def slow(port, path, kind, framing="Content-Length: 5000"):
    part = "1\r\na\r\n" if "chunked" in framing else "a"
    return sent(port, f"{HEAD.format(path=path, kind=kind)}{framing}\r\n\r\n{part}")


def received(connection):
    """All that comes until the server closes."""
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts).decode()


def test_slow_bodies_of_nobody_hold_up_nobody_and_are_ended(port):
    with ExitStack() as stack:
        kinds = [("/admin/login/", FORM, "Content-Length: 5000"), ("/api/token/", JSON, "Transfer-Encoding: chunked")]
        held = [stack.enter_context(closing(slow(port, *kinds[number % 2]))) for number in range(MANY)]
        begun = time.monotonic()
        for path, status in (("/health/live/", 200), ("/nowhere/", 404)):
            assert requests.get(f"http://localhost:{port}{path}", timeout=2).status_code == status
        assert time.monotonic() - begun < 2
        answers = [received(connection) for connection in held]
    assert {answer.splitlines()[0] for answer in answers} == {"HTTP/1.1 408 Request Timeout"}
    assert "That came too slowly" in answers[0]
    assert '"detail":"The body did not come in time."' in answers[1]


@pytest.mark.parametrize(
    ("credential", "size"),
    [("", 100_001), ("Authorization: Bearer x\r\n", 2_700_000), ("Cookie: a=b\r\n", 600 * 10**6)],
)
@pytest.mark.parametrize(
    ("path", "kind", "words"),
    [("/admin/login/", FORM, "That is too much at once"), ("/api/token/", JSON, '"detail":"The body is too large."')],
)
def test_a_body_that_says_how_large_it_is_is_refused_before_it_comes(port, credential, size, path, kind, words):
    with closing(sent(port, f"{HEAD.format(path=path, kind=kind)}{credential}Content-Length: {size}\r\n\r\n")) as one:
        answer = received(one)
    assert answer.startswith("HTTP/1.1 413 ")
    assert words in answer


def test_a_body_that_does_not_say_how_large_it_is_is_counted(port):
    parts = 12 * f"2710\r\n{'a' * 10_000}\r\n"
    head = HEAD.format(path="/admin/login/", kind=FORM)
    with closing(sent(port, f"{head}Transfer-Encoding: chunked\r\n\r\n{parts}")) as one:
        assert one.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_file_comes_whole_in_several_parts(port):
    file = str(find("unfold/css/styles.css"))
    assert Path(file).stat().st_size > BLOCK
    answer = requests.get(f"http://localhost:{port}/static/unfold/css/styles.css", timeout=10)
    assert answer.content == Path(file).read_bytes()


def test_slow_readers_of_long_answers_hold_up_nobody(port):
    request = "GET /static/unfold/css/styles.css HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(MANY):
            one = stack.enter_context(closing(socket.socket()))
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # the rest waits at the server
            one.connect(("localhost", port))
            one.sendall(request.encode())
        assert requests.get(f"http://localhost:{port}/nowhere/", timeout=2).status_code == 404


def test_whoever_watches_is_answered_while_a_database_that_hangs_holds_all_threads(port, settings):
    cookie = f"Cookie: {settings.SESSION_COOKIE_NAME}={'x' * 32}"
    request = f"GET /admin/ HTTP/1.1\r\nHost: localhost\r\n{cookie}\r\nConnection: close\r\n\r\n"
    with ExitStack() as stack:
        held = [stack.enter_context(closing(sent(port, request))) for _ in range(THREADS)]
        begun = time.monotonic()
        for path, status in (("/health/live/", 200), ("/metrics/", 404)):
            assert requests.get(f"http://localhost:{port}{path}", timeout=2).status_code == status
        assert time.monotonic() - begun < 1
        answers = [received(connection) for connection in held]
        assert time.monotonic() - begun > 1, "they were held meanwhile"
    assert {answer.splitlines()[0] for answer in answers} == {"HTTP/1.1 503 Service Unavailable"}
    assert all("retry-after: 5" in answer for answer in answers)
