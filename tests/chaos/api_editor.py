"""Writes over HTTP: what a program would do that keeps its Idempotency-Keys and repeats what was not answered."""

import os
import time
from collections.abc import Callable
from uuid import uuid4

import requests

from backoffice.kit.idempotency.service import BUSY
from tests.chaos.editor import PAUSE, Door, Editor, RefusedError, UncertainError, change
from tests.chaos.ledger import Values, Write

PATHS = {"news.Post": "/api/news/posts/", "news.Comment": "/api/news/comments/"}
TIMEOUT = 20  # seconds
WAITS = 400  # times PAUSE: an attempt that died may keep its key for a minute


class ApiEditor(Editor):
    pause = 0.35

    def __init__(self, name: str, seed: str) -> None:
        super().__init__(name, seed)
        self.url, self.http = os.environ["CHAOS_WEB"], requests.Session()
        self.http.trust_env = False
        self.http.headers["Authorization"] = f"Bearer {os.environ['CHAOS_API_KEY']}"

    def doors(self) -> dict[Door, float]:
        return {self.add_post: 4, self.add_comment: 5, self.edit: 6, self.replace: 2, self.remove: 2}

    def add_post(self) -> Write:
        return self.post("news.Post", self.new_post())

    def add_comment(self) -> Write | None:
        pk = self.pick_one("news.Post")
        return None if pk is None else self.post("news.Comment", self.new_comment(pk))

    def post(self, label: str, values: Values) -> Write:
        key, one = str(uuid4()), change(label, None, values)

        def do() -> None:
            answer = self.send("POST", PATHS[label], body(values), {"Idempotency-Key": key})
            one.pk = answer.json()["id"]

        return Write(door="POST", changes=[one], do=do)

    def edit(self) -> Write | None:
        return self.write("PATCH", lambda label, pk: self.edited(label, pk))

    def replace(self) -> Write | None:
        return self.write("PUT", lambda label, pk: self.ledger.objects[label][pk] | self.edited(label, pk))

    def remove(self) -> Write | None:
        return self.write("DELETE", lambda label, pk: None)

    def write(self, method: str, values: Callable[[str, int], Values | None]) -> Write | None:
        label, pk = self.pick_any()
        if pk is None:
            return None
        new = values(label, pk)
        path, data = f"{PATHS[label]}{pk}/", None if new is None else body(new)
        return Write(door=method, changes=[change(label, pk, new)], do=lambda: self.send(method, path, data))

    def send(self, method: str, path: str, data: Values | None, headers: Values | None = None) -> requests.Response:
        """Raises UncertainError where no answer came, or one that does not say what was done; RefusedError at 4xx."""
        for _ in range(WAITS):
            try:
                answer = self.http.request(method, f"{self.url}{path}", json=data, headers=headers, timeout=TIMEOUT)
            except requests.RequestException as error:
                raise UncertainError(f"{type(error).__name__}: {error}") from error
            if answer.status_code >= 500:
                raise UncertainError(f"{answer.status_code}: {answer.text}")
            if BUSY not in answer.text:
                break
            time.sleep(PAUSE)
        if answer.status_code >= 400:
            raise RefusedError(f"{answer.status_code}: {answer.text}")
        return answer


def body(values: Values) -> Values:
    """By the API's names."""
    return {name.removesuffix("_id") if name == "post_id" else name: value for name, value in values.items()}
