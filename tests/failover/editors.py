"""Editors who write through the API, and repeat what was not acknowledged."""

import threading
import time
from uuid import uuid4

import requests

PAUSE = 0.05  # seconds between two writes
AGAIN = 0.2  # seconds before a write that was not acknowledged is repeated
TIMEOUT = 20  # seconds of each wait for an answer
GIVES_UP = 120  # seconds


class Editor(threading.Thread):
    """Creates a post, edits it once, creates the next, until it is stopped.

    Attributes:
        acknowledged: the bodies that the API confirmed, by title, in their order: `{"a 1": ["first", "second"]}`.
        troubles: how many answers said that a write was not, or may not have been, done.
    """

    def __init__(self, name: str, address: str, key: str) -> None:
        super().__init__(name=name)
        self.acknowledged: dict[str, list[str]] = {}
        self.troubles = 0
        self.longest = 0.0  # seconds that one write waited for its acknowledgement
        self.error: Exception | None = None
        self._posts, self._stopping = f"{address}/api/news/posts/", threading.Event()
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.headers["Authorization"] = f"Bearer {key}"

    @property
    def writes(self) -> int:
        return sum(map(len, [*self.acknowledged.values()]))

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        number = 0
        try:
            while not self._stopping.wait(PAUSE):
                number += 1
                title = f"{self.name} {number}"
                made = self._send("POST", "", title, f"{title} made")
                self._stopping.wait(PAUSE)
                self._send("PATCH", f"{made['id']}/", title, f"{title} edited")
        except Exception as error:  # noqa: BLE001 - the main thread raises it
            self.error = error

    def _send(self, method: str, path: str, title: str, body: str) -> dict[str, int]:
        """Write until it is acknowledged; a create is repeated under its key, so that it is done once.

        Raises:
            RuntimeError: it was refused, or not acknowledged in time.
        """
        data = {"title": title, "body": body} if method == "POST" else {"body": body}
        headers, began = {"Idempotency-Key": str(uuid4())}, time.monotonic()
        while time.monotonic() - began < GIVES_UP:
            try:
                answer = self._http.request(method, f"{self._posts}{path}", json=data, headers=headers, timeout=TIMEOUT)
            except requests.RequestException:
                answer = None
            if answer is not None and answer.ok:
                self.acknowledged.setdefault(title, []).append(body)
                self.longest = max(self.longest, time.monotonic() - began)
                made: dict[str, int] = answer.json()
                return made
            if answer is not None and answer.status_code < 500 and answer.status_code != 409:  # 409: being done
                raise RuntimeError(f"{answer.status_code}: {answer.text}")
            self.troubles += 1
            time.sleep(AGAIN)
        raise RuntimeError(f"{method} of {title!r} was not acknowledged in {GIVES_UP} s.")
