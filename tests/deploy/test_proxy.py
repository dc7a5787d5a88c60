"""The proxy: what of a client's request reaches the web server."""

import http.client
import json
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.deploy.tools import BIN, ROOT
from tests.flows.wait import until
from tools.servers import free_port

Answer = tuple[int, dict[str, str], Any]


class Echo(BaseHTTPRequestHandler):
    """A web server that answers with the headers that it got."""

    def do_GET(self) -> None:
        body = json.dumps(self.headers.items()).encode()
        self.send_response(200)
        self.send_header("X-Request-ID", self.headers["X-Request-ID"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def upstream() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def port(upstream: ThreadingHTTPServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a proxy in front of `upstream`."""
    folder, port = tmp_path_factory.mktemp("proxy"), free_port()
    (folder / "app.0123456789ab.css").write_text("a {}")
    given = {"SITE": f"http://127.0.0.1:{port}", "TLS": "automatic", "UPSTREAM": "127.0.0.1", "STATIC": str(folder)}
    given |= {"UPSTREAM_PORT": str(upstream.server_port), "HEALTH_PORT": str(free_port())}
    given |= {"BODY_BYTES": "1MB", "ANSWER_SECONDS": "5", "XDG_DATA_HOME": str(folder)}
    words = ["run", "--config", str(ROOT / "deploy/proxy/Caddyfile"), "--adapter", "caddyfile"]
    with (folder / "log").open("w") as log:
        proxy = subprocess.Popen([BIN / "caddy", *words], env=given, stdout=log, stderr=log)
        try:
            until(lambda: answers(port), seconds=30)
            yield port
        finally:
            proxy.terminate()
            proxy.wait(timeout=30)


def answers(port: int) -> bool:
    try:
        return ask(port, "GET", "/")[0] == 200
    except OSError:
        return False


def ask(
    port: int, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        with suppress(BrokenPipeError, ConnectionResetError):  # of a proxy that has refused it before all was sent
            connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def received(port: int, headers: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the headers that the web server got, of a request with these."""
    pairs = json.loads(ask(port, "GET", "/", headers=headers)[2])
    assert len({name.lower() for name, _ in pairs}) == len(pairs)
    return {name.lower(): value for name, value in pairs}


def test_a_request_gets_an_id_whatever_its_client_names_it(port):
    _, headers, body = ask(port, "GET", "/", headers={"X-Request-ID": "forged"})
    sent = {name.lower(): value for name, value in json.loads(body)}
    assert sent["x-request-id"] == headers["x-request-id"]
    assert len(sent["x-request-id"]) == 36
    assert received(port)["x-request-id"] != sent["x-request-id"]


def test_a_client_does_not_choose_its_address(port):
    forged = {
        "X-Forwarded-For": "203.0.113.9",
        "X_Forwarded_For": "203.0.113.9",
        "X-Forwarded-Proto": "https",
        "A_B": "x",
    }
    got = received(port, forged)
    assert (got["x-forwarded-for"], got["x-forwarded-proto"]) == ("127.0.0.1", "http")
    assert [name for name in got if "_" in name] == []


def test_a_body_that_is_too_large_is_refused(port):
    assert ask(port, "POST", "/", b"x" * 900_000)[0] == 200
    assert ask(port, "POST", "/", b"x" * 1_001_000)[0] == 413


def test_a_head_that_is_too_large_is_refused(port):
    assert ask(port, "GET", "/", headers={"X": "x" * 60_000})[0] == 431


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "//metrics/", "/metrics/?a=b"])
def test_metrics_are_for_nobody_outside(port, path):
    assert ask(port, "GET", path)[0] == 404


def test_static_files_come_from_the_proxy_and_are_kept(port):
    status, headers, body = ask(port, "GET", "/static/app.0123456789ab.css")
    assert (status, body, headers["cache-control"]) == (200, b"a {}", "public, max-age=31536000, immutable")


def test_a_web_server_that_is_away_is_said_to_be(port, upstream):
    upstream.shutdown()
    upstream.server_close()
    status, headers, body = ask(port, "GET", "/")
    assert (status, headers["retry-after"]) == (502, "5")
    assert b"Try again in a moment" in body
