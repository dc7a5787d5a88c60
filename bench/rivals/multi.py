"""Sends changes by libcurl's multi interface: close to the most that one process can send."""

import json
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from typing import Any

import pycurl

from bench.rivals.loop import TIMEOUT, body_of

WAIT = 1.0  # seconds until it looks again, whatever happens


def push(url: str, posts: Iterable[Mapping[str, Any]], *, at_once: int) -> int:
    """Send each post by a PUT, `at_once` of them at a time; return how many were sent."""
    multi, left, sent = pycurl.CurlMulti(), iter(posts), 0
    free = [pycurl.Curl() for _ in range(at_once)]
    answers: dict[Any, BytesIO] = {}
    while True:
        for curl, post in zip(list(free), left, strict=False):
            free.remove(curl)
            answers[curl] = start(curl, url, post)
            multi.add_handle(curl)
        if not answers:
            return sent
        while multi.perform()[0] == pycurl.E_CALL_MULTI_PERFORM:
            pass
        for curl in ended(multi):
            multi.remove_handle(curl)
            json.loads(answers.pop(curl).getvalue())
            assert curl.getinfo(pycurl.RESPONSE_CODE) == 200, curl.getinfo(pycurl.RESPONSE_CODE)
            free.append(curl)
            sent += 1
        if not free:
            multi.select(WAIT)


def start(curl: Any, url: str, post: Mapping[str, Any]) -> BytesIO:
    answer, body = BytesIO(), json.dumps(body_of(post)).encode()
    curl.setopt(pycurl.URL, f"{url}/posts/{post['id']}")
    curl.setopt(pycurl.CUSTOMREQUEST, "PUT")
    curl.setopt(pycurl.POSTFIELDS, body)
    curl.setopt(pycurl.HTTPHEADER, ["Content-Type: application/json"])
    curl.setopt(pycurl.TIMEOUT, TIMEOUT)
    curl.setopt(pycurl.WRITEDATA, answer)
    return answer


def ended(multi: Any) -> Iterator[Any]:
    """Yield the transfers that have ended.

    Raises:
        RuntimeError: one of them failed.
    """
    while True:
        queued, done, failed = multi.info_read()
        if failed:
            raise RuntimeError(failed[0][2])
        yield from done
        if not queued:
            return
