"""The body of a request, read before a thread works on the request: a slow client holds a connection, no thread."""

import asyncio
from collections.abc import Awaitable, Callable
from tempfile import SpooledTemporaryFile
from typing import IO

from asgiref.typing import ASGIReceiveCallable
from django.conf import settings
from django.http import parse_cookie

from backoffice.web.environ import Environ

IN_MEMORY = 32 * 1024  # bytes of one body; a longer one goes to a file
REFUSED = "backoffice.refused"  # the name in the environment of the status with which a request is refused

# Asked in a thread, for a body beyond the first limit: how many bytes this person may send to this address.
MostBytes = Callable[[Environ], Awaitable[int]]


class RefusedError(Exception):
    """The body is not taken: `status` says why."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Disk:
    """What the bodies of this process hold on disk together."""

    def __init__(self) -> None:
        self.bytes = 0

    def take(self, size: int) -> None:
        if self.bytes + size > settings.WEB_SPOOL_BYTES:
            raise RefusedError(503)
        self.bytes += size


disk = Disk()


class Body:
    """The body of one request, as far as it came."""

    def __init__(self, environ: Environ, most_bytes: MostBytes) -> None:
        self._environ, self._most_bytes = environ, most_bytes
        self._most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE if has_credential(environ) else settings.WEB_ANONYMOUS_BYTES
        self._is_asked = False
        self._on_disk = 0
        self.size = 0
        self.file: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - `close` does

    async def read(self, receive: ASGIReceiveCallable) -> None:
        """Read all of it, and put it into the environment.

        Raises:
            RefusedError: 413, it is longer than it may be; 408, it comes too slowly; 503, there is no room for it; 400,
                it ends before its end, as the client left or its chunks are not HTTP.
        """
        declared = self._environ.get("CONTENT_LENGTH", "")
        await self._allow(int(declared) if declared.isdecimal() else 0)
        begun = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(begun + settings.WEB_BODY_SECONDS) as deadline:
                while await self._take(receive):
                    deadline.reschedule(begun + settings.WEB_BODY_SECONDS + self.size / settings.WEB_BODY_RATE)
        except TimeoutError:
            raise RefusedError(408) from None
        self.file.seek(0)
        self._environ |= {"wsgi.input": self.file, "CONTENT_LENGTH": str(self.size)}

    async def _take(self, receive: ASGIReceiveCallable) -> bool:
        """Take the next part; return whether more follow."""
        message = await receive()
        if message["type"] != "http.request":
            raise RefusedError(400)
        await self._allow(self.size + len(message["body"]))
        self.size += len(message["body"])
        if self.size > IN_MEMORY:
            disk.take(self.size - self._on_disk)
            self._on_disk = self.size
        self.file.write(message["body"])
        return message["more_body"]

    async def _allow(self, size: int) -> None:
        if size > self._most and not self._is_asked:
            self._is_asked = True
            self._most = max(self._most, await self._most_bytes(self._environ))
        if size > self._most:
            raise RefusedError(413)

    def close(self) -> None:
        disk.bytes -= self._on_disk
        self._on_disk = 0
        self.file.close()


def has_body(environ: Environ) -> bool:
    return environ.get("CONTENT_LENGTH", "0") != "0" or "HTTP_TRANSFER_ENCODING" in environ


def has_credential(environ: Environ) -> bool:
    """Return whether the request claims to come from somebody; Django finds out whether that is true."""
    cookies = parse_cookie(environ.get("HTTP_COOKIE", ""))
    return "HTTP_AUTHORIZATION" in environ or settings.SESSION_COOKIE_NAME in cookies
