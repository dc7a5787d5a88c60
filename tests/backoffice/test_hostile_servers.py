"""The HTTP clients against servers and names that mean harm: what leaves, and for where; what comes, and how much."""

import socket
import ssl
import threading
import time
import tracemalloc
import zlib
from contextlib import ExitStack, suppress
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import pycurl
import pytest

from backoffice.kit.http import ForbiddenError, LostError, NotSentError, Request
from tests.backoffice.raw_server import for_ever, nothing, raw_server, says
from tests.backoffice.transports import TRANSPORTS, sending
from tests.remote import Fault

SECRET = "s3cret-of-the-target"
PEM = Path(__file__).parent / "untrusted.pem"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
NAME = "a-name.example"


@pytest.fixture(params=TRANSPORTS)
def transport(request):
    return request.param


@pytest.fixture
def get(transport):
    """Sends a GET by a client of its own, or by the one that is given."""

    def get(url, *, timeout=0.5, client=None):
        request = Request(method="GET", url=url, headers={"Authorization": f"Bearer {SECRET}"})
        if client is not None:
            return client.send(request)
        with sending(transport, timeout=timeout) as client:
            return client.send(request)

    return get


def gigabyte():
    """A gigabyte of zeros, as gzip: one megabyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return (packer.compress(bytes(16 * 1024 * 1024)) + packer.flush()) * 64


def packed(head, content):
    return says(head + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(content), content)


@pytest.fixture
def names(monkeypatch, transport):
    """Let NAME mean, at one look-up after the other, these addresses; returns what was looked up."""
    looked_up: list[str] = []
    left: list[list[tuple[str, int]]] = []

    def look_up():
        looked_up.append(NAME)
        return left.pop(0) if len(left) > 1 else left[0]

    def getaddrinfo(host, port, *_, **__):
        assert host == NAME
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, at or port)) for address, at in look_up()]

    class Curl(pycurl.Curl):
        """Takes what it is told for the answer of a look-up. It knows no port of an address of its own."""

        def setopt(self, option, value, **options):
            super().setopt(option, value, **options)
            if option == pycurl.URL and (url := urlsplit(value)).hostname == NAME:
                found = ",".join(address for address, at in look_up() if not at)
                super().setopt(pycurl.RESOLVE, [f"-{NAME}:{url.port}", f"{NAME}:{url.port}:{found}"])

    def resolve(*answers):
        left[:] = answers
        return looked_up

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(pycurl, "Curl", Curl)
    return resolve


# --- whom it speaks to -----------------------------------------------------------------------------------------------
DISGUISES = ["127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::ffff:127.0.0.1]", "localhost", "0"]


@pytest.mark.parametrize("host", DISGUISES)
def test_no_connection_is_opened_to_a_private_address(host, get, settings):
    settings.PRIVATE_NETWORKS = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
    with raw_server(says(OK)) as server, pytest.raises(ForbiddenError, match=r"a private address|never contacted"):
        get(f"http://{host}:{server.port}/")
    assert server.heard == []


METADATA = [
    "169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518", "[::ffff:a9fe:a9fe]",
    "[::ffff:0:a9fe:a9fe]", "[fd00:ec2::254]", "168.63.129.16", "100.100.100.200", "192.0.0.192",
]  # fmt: skip


@pytest.mark.parametrize("host", METADATA)
def test_metadata_is_out_of_reach_however_it_is_written(host, get):
    with pytest.raises(ForbiddenError, match="never contacted"):
        get(f"http://{host}/latest/meta-data/")


def test_a_name_is_looked_up_once_and_what_was_checked_is_connected_to(names, get):
    with raw_server(says(OK)) as server:
        looked_up = names([("127.0.0.1", 0)], [("169.254.169.254", 0)])
        assert get(f"http://{NAME}:{server.port}/").status == 200
    assert looked_up == [NAME]


def test_a_name_that_means_something_else_at_the_next_connection_is_checked_again(names, get, transport):
    closing = says(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")
    with raw_server(closing) as server, sending(transport) as client:
        names([("127.0.0.1", 0)], [("169.254.169.254", 0)])
        get(f"http://{NAME}:{server.port}/", client=client)
        with pytest.raises(ForbiddenError, match="never contacted"):
            get(f"http://{NAME}:{server.port}/", client=client)


def test_of_several_addresses_only_those_are_used_that_may_be(names, get, settings):
    with raw_server(says(OK)) as server:
        names([("169.254.169.254", 0), ("127.0.0.1", 0)])
        assert get(f"http://{NAME}:{server.port}/").status == 200
        names([("169.254.169.254", 0), ("127.0.0.1", 0)])
        settings.PRIVATE_NETWORKS = []
        with pytest.raises(ForbiddenError):
            get(f"http://{NAME}:{server.port}/")
    assert len(server.heard) == 1


def test_a_request_does_not_leave_when_its_time_is_over(names, get):
    """Three addresses that never answer take all of it; the fourth would, but then a successor may be on its way."""
    with ExitStack() as open_now, raw_server(says(OK)) as server:
        full = open_now.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):  # the queue is full now, and who comes next waits
            waiting = open_now.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        dead = ("127.0.0.1", 0)
        names([dead, dead, dead, ("127.0.0.1", server.port)])
        started = time.monotonic()
        with pytest.raises(NotSentError, match="did not take the connection") as refusal:
            get(f"http://{NAME}:{full.getsockname()[1]}/")
    assert refusal.value.slow
    assert time.monotonic() - started < 60  # seconds, an end: 1 is due, and the kernel gives up after two minutes
    assert not any(server.heard)


def test_a_redirect_sends_nothing_anywhere(remote, get):
    with raw_server(says(OK)) as elsewhere:
        remote.fault(Fault.REDIRECT, location=elsewhere.url)
        assert get(f"{remote.url}/posts").status == 302
    assert elsewhere.heard == []


def test_nothing_of_the_environment_changes_what_is_sent(tmp_path, monkeypatch, transport):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login of-the-machine password of-the-machine\n")
    with raw_server(says(OK)) as proxy, raw_server(says(OK)) as server:
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        with sending(transport) as client:
            client.send(Request(method="GET", url=server.url))
    assert proxy.heard == []
    assert b"Authorization" not in server.heard[0]


def test_no_cookie_is_kept(get, transport):
    giving = says(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\n{}")
    with raw_server(giving) as server, sending(transport) as client:
        for _ in range(2):
            get(server.url, client=client)
    assert b"Cookie" not in b"".join(server.heard)


# --- how much, how long ----------------------------------------------------------------------------------------------
ENDLESS = {
    "body": for_ever(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536),
    "body of a redirect": for_ever(b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", b"x" * 65536),
    "header": for_ever(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 65536),
    "headers": for_ever(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "interim answers": for_ever(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100),
    "chunks": for_ever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n"),
    "length of a chunk": for_ever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1" * 65536),
    "trailers": for_ever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n" * 100),
    "a packed gigabyte": packed(b"HTTP/1.1 200 OK\r\n", gigabyte()),
    "a packed gigabyte in a redirect": packed(b"HTTP/1.1 302 Found\r\nLocation: /x\r\n", gigabyte()),
}


@pytest.mark.parametrize("answer", ENDLESS.values(), ids=ENDLESS)
def test_an_answer_without_end_costs_bounded_time_and_memory(answer, get):
    started = time.monotonic()
    tracemalloc.start()
    try:
        with raw_server(answer) as server, pytest.raises(LostError):
            get(server.url)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 32 * 1024 * 1024  # bytes
    assert time.monotonic() - started < 60  # seconds, an end: 1 is due


# --- what it says ----------------------------------------------------------------------------------------------------
def test_interim_answers_are_passed_by(get, transport):
    final = threading.Event()

    def answer(opened):
        opened.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
        final.wait(0.1)
        opened.sendall(OK)

    with raw_server(answer) as server, sending(transport, timeout=2) as client:
        assert [get(server.url, client=client).status for _ in range(3)] == [200, 200, 200]
    assert len(server.heard) == 1, "one connection served them all"


ECHOES = {
    "status line": b"%s\r\n\r\n",
    "status": b"HTTP/1.1 %s no\r\n\r\n",
    "version": b"HTTP/%s 200 OK\r\n\r\n",
    "chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n",
    "gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n%s",
    "cut short": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n%s",
}


@pytest.mark.parametrize("line", ECHOES.values(), ids=ECHOES)
def test_an_error_quotes_nothing_of_what_came(line, get):
    def answer(opened):
        opened.sendall(line.replace(b"%s", SECRET.encode()))
        nothing(opened)

    with raw_server(answer) as server, pytest.raises(LostError) as lost:
        get(server.url)
    assert SECRET not in str(lost.value)


@pytest.mark.parametrize("location", ["http://[", "//" + SECRET, "http://" + "a" * 300, "x" * 60000])
def test_a_redirect_is_not_followed(location, get):
    head = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    with raw_server(says(head.encode())) as server:
        assert get(server.url).status == 302


def test_an_answer_with_a_nul_character_in_its_head_is_no_answer_to_libcurl(get, transport):
    """RFC 9110, section 5.5: a recipient may refuse it, or replace the character."""
    nul = says(b"HTTP/1.1 302 Found\r\nLocation: \0\r\nContent-Length: 0\r\n\r\n")
    with raw_server(nul) as server:
        if transport == "requests":
            assert get(server.url).status == 302
            return
        with pytest.raises(LostError, match="its head is not HTTP"):
            get(server.url)


@pytest.mark.parametrize(
    "url", ["http://[::1", f"http://{'a' * 64}.example/", "http://.example/", "ftp://example.com/", "http://x/\ud800"]
)
def test_an_address_that_can_not_be_asked_was_not_sent(url, get):
    with pytest.raises(NotSentError, match=r"was not asked|can't be reached"):
        get(url)


# --- encryption ------------------------------------------------------------------------------------------------------
def test_an_untrusted_certificate_is_not_contacted(get):
    heard = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(PEM)
        opened, _ = listener.accept()
        with opened, suppress(ssl.SSLError), context.wrap_socket(opened, server_side=True) as encrypted:
            heard.append(encrypted.recv(65536))

    thread = threading.Thread(target=serve)
    thread.start()
    with (
        listener,
        pytest.raises(ForbiddenError, match=r"has a certificate that can't be trusted \(self-signed certificate\)"),
    ):
        get(f"https://localhost:{listener.getsockname()[1]}/", timeout=5)
    thread.join()
    assert not any(heard)


def test_a_server_that_does_not_encrypt_is_sent_nothing(get):
    with raw_server(says(OK)) as server, pytest.raises(ForbiddenError, match="does not encrypt as it must"):
        get(f"https://127.0.0.1:{server.port}/")
    assert SECRET.encode() not in b"".join(server.heard)


def test_what_ends_before_encryption_began_was_not_sent(get):
    """A restarting proxy does so: no setting is wrong, and nothing can have arrived."""
    with raw_server(nothing) as server, pytest.raises(NotSentError, match="ended the connection"):
        get(f"https://127.0.0.1:{server.port}/")


def test_a_server_that_never_agrees_on_encryption_is_sent_nothing(get):
    with (
        raw_server(lambda _: None) as server,
        pytest.raises(NotSentError, match="did not take the connection") as refusal,
    ):
        get(f"https://127.0.0.1:{server.port}/")
    assert refusal.value.slow
