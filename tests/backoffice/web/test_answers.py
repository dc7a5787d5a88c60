"""Answers in parts: each is fetched when the one before it was taken, and an end is an end."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from backoffice.web import app
from backoffice.web.app import Answer, Thread


class Parts:
    """The body of an answer, which knows how far it was fetched and whether it was closed."""

    def __init__(self, *parts):
        self.fetched, self.is_closed, self._parts = 0, False, iter(parts)

    def __iter__(self):
        return self

    def __next__(self):
        part = next(self._parts)
        self.fetched += 1
        return part

    def close(self):
        self.is_closed = True


def sent(parts, *, takes, leaves=False):
    """What a client gets that takes so many parts, and then nothing more, or leaves."""

    def application(_environ, start):
        start("200 OK", [("Content-Type", "text/plain")])
        return parts

    async def answered():
        got: list[Any] = []
        gone = asyncio.Event()

        async def send(message):
            if len(got) > takes and leaves:
                gone.set()
                await asyncio.sleep(0)
            elif len(got) > takes:
                await asyncio.Event().wait()
            got.append(message)

        async def receive():
            await gone.wait()
            return {"type": "http.disconnect"}

        with ThreadPoolExecutor(1) as threads:
            thread = Thread(threads)
            answer = await thread.run(lambda: Answer({}, application))
            await answer.send(thread, receive, send)
        return got

    start, *rest = asyncio.run(answered())
    assert (start["status"], start["headers"]) == (200, [(b"content-type", b"text/plain")])
    assert parts.is_closed
    return rest


def test_an_answer_in_parts_comes_whole_also_after_an_empty_part():
    got = sent(Parts(b"a", b"", b"b"), takes=10)
    assert [(message["body"], message["more_body"]) for message in got] == [
        (b"a", True),
        (b"", True),
        (b"b", True),
        (b"", False),
    ]


def test_a_client_that_takes_nothing_more_ends_the_answer(monkeypatch):
    monkeypatch.setattr(app, "STALLED_SECONDS", 0.05)
    parts = Parts(*[b"a"] * 100)
    assert all(message["more_body"] for message in sent(parts, takes=3))
    assert parts.fetched == 4


def test_of_an_answer_that_nobody_reads_any_more_no_more_is_fetched():
    parts = Parts(*[b"a"] * 100)
    sent(parts, takes=3, leaves=True)
    assert parts.fetched < 10


def test_what_fails_at_its_first_part_is_closed():
    def broken():
        raise ZeroDivisionError
        yield

    class Broken(Parts):
        def __iter__(self):
            return broken()

    parts = Broken()
    with pytest.raises(ZeroDivisionError):
        sent(parts, takes=1)
    assert parts.is_closed
