"""A proxy in front of a real server. It fails as the Fake API does, `proxy.fault(…)`, and keeps the same journal."""

import json
from dataclasses import dataclass
from http.client import HTTPConnection

from tests.remote import Answer, Call, Remote
from tests.remote.journal import WRITES
from tests.remote.server import Handler

SECONDS = 30  # an end, not an expectation
# Of one connection only (RFC 9110, section 7.6.1); and without Accept-Encoding JSON comes as JSON, to be cut in half.
NOT_PASSED_ON = ("accept-encoding", "connection", "keep-alive", "transfer-encoding", "content-length", "date", "server")


@dataclass(frozen=True, kw_only=True)
class Passed(Answer):
    """The real server's answer."""

    raw: bytes


class Forwarder(Handler):
    def act(self, call: Call) -> Answer:
        """Pass the request on as it came.

        The server sees the Host that the client named, so that the addresses it answers lead through the proxy again.
        """
        assert isinstance(self.remote, Proxy)
        connection = HTTPConnection(self.remote.server, timeout=SECONDS)
        try:
            connection.request(call.method, self.path, body=call.raw or None, headers=_passed_on(self.headers.items()))
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        try:
            body = json.loads(content)
        except ValueError:
            body = None
        applied = call.method in WRITES and response.status < 300
        self.remote.log.update(self.number, applied=applied)
        headers = _passed_on(response.getheaders())
        return Passed(status=response.status, body=body, headers=headers, applied=applied, raw=content)

    def send(self, answer: Answer) -> None:
        if isinstance(answer, Passed):
            self.write(answer.status, answer.raw, answer.headers)
        else:
            super().send(answer)


def _passed_on(headers: "list[tuple[str, str]]") -> dict[str, str]:
    return {name: value for name, value in headers if name.lower() not in NOT_PASSED_ON}


class Proxy(Remote):
    """A proxy that runs; `server` is the real server's host and port."""

    handler = Forwarder

    def __init__(self, server: str) -> None:
        super().__init__()
        self.server = server
