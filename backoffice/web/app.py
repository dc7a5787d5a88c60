"""The ASGI application: Django's WSGI application in threads, which see whole bodies and never wait for a client."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar
from wsgiref.types import WSGIApplication

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPResponseBodyEvent, HTTPScope, Scope
from django.conf import settings
from django.db import Error

from backoffice import wsgi  # before what needs the apps to be loaded
from backoffice.health import VIEWS
from backoffice.kit import waiting_files
from backoffice.kit.database import limit_statements
from backoffice.web import watchdog
from backoffice.web.bodies import REFUSED, Body, RefusedError, has_body
from backoffice.web.environ import Environ, to_environ
from backoffice.web.uploads import most_bytes

T = TypeVar("T")
STALLED_SECONDS = 60  # for a client to take the next part of an answer

# Whoever watches must be answered beside requests that hold all threads: each has a thread of its own.
pool = ThreadPoolExecutor(settings.WEB_THREADS, "web")
pools = {path: ThreadPoolExecutor(1, path) for path in VIEWS}


async def application(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    if scope["type"] == "http":
        await respond(scope, receive, send)
    elif scope["type"] == "lifespan":
        await receive()
        start()
        watching = asyncio.create_task(watchdog.watch())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        watching.cancel()
        await send({"type": "lifespan.shutdown.complete"})


def start() -> None:
    """Prepare the process; whoever only imports this module keeps theirs as it is."""
    limit_statements("web")
    tempfile.tempdir = str(waiting_files.folder())  # for Django's uploads too: the system's folder may be memory


async def respond(scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    environ = to_environ(scope)
    thread = Thread(pools.get(environ["PATH_INFO"].removesuffix("/"), pool))
    if not has_body(environ):
        await answer(environ, thread, receive, send)
        return
    with closing(Body(environ, partial(_most_bytes, thread))) as body:
        try:
            await body.read(receive)
        except RefusedError as refusal:
            environ |= {"CONTENT_LENGTH": "0", REFUSED: refusal.status}
        await answer(environ, thread, receive, send)


async def answer(environ: Environ, thread: "Thread", receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    made = await thread.run(partial(Answer, environ))
    await made.send(thread, receive, send)


async def _most_bytes(thread: "Thread", environ: Environ) -> int:
    try:
        return await thread.run(partial(most_bytes, environ))
    except Error as error:
        raise RefusedError(503) from error


class Thread:
    """Threads that work on one request, in turn, in one context."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads, self._context = threads, copy_context()

    async def run(self, work: Callable[[], T]) -> T:
        in_context = partial(self._context.run, work)
        return await asyncio.get_running_loop().run_in_executor(self._threads, watchdog.timed, in_context)


class Answer:
    """The answer of a WSGI application: its head, and its body part by part."""

    def __init__(self, environ: Environ, application: WSGIApplication = wsgi.application) -> None:
        self._is_refused = REFUSED in environ
        self._made: Any = application(environ, self._start)  # type: ignore[arg-type]
        try:
            self._parts: Iterator[bytes] = iter(self._made)
            self.is_whole = not getattr(self._made, "streaming", True)
            self.part = b"".join(self._parts) if self.is_whole else next(self._parts, None)
        except BaseException:
            self.close()
            raise
        if self.is_whole:
            self.close()

    def _start(self, status: str, headers: list[tuple[str, str]], _error: object = None) -> None:
        self.status = int(status.partition(" ")[0])
        self.headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        if self._is_refused:
            self.headers.append((b"connection", b"close"))  # the rest of the body may still come

    def close(self) -> None:
        if close := getattr(self._made, "close", None):
            close()

    def advance(self) -> None:
        self.part = next(self._parts, None)

    async def send(self, thread: Thread, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Send it; a client that is gone, or takes nothing any more, ends it."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers, "trailers": False})
        if self.is_whole:
            await send({"type": "http.response.body", "body": self.part or b"", "more_body": False})
            return
        gone = asyncio.create_task(_left(receive))
        try:
            while self.part is not None and not gone.done():
                part: HTTPResponseBodyEvent = {"type": "http.response.body", "body": self.part, "more_body": True}
                try:
                    await asyncio.wait_for(send(part), STALLED_SECONDS)
                except TimeoutError:
                    return  # the server closes a connection whose answer has no end
                await thread.run(self.advance)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()
            await thread.run(self.close)


async def _left(receive: ASGIReceiveCallable) -> None:
    """Wait until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
