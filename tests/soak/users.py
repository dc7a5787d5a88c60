"""Who uses the node: each is a loop of its own, over real HTTP, and notes how each of its requests went."""

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.content.files import FORMATS, table
from tests.content.pages import form_of

LIMIT = 30  # seconds after which a request counts as not answered
POSTS = "/api/news/posts/"
IMPORTED = 500  # rows of a file


@dataclass
class Book:
    """How the requests of one kind of user went: seconds, failures, and times that the node asked to come again."""

    seconds: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    later: int = 0

    def note(self, seconds: float, status: int, retry_after: bool) -> None:
        self.seconds.append(seconds)
        if status == 503 and retry_after:
            self.later += 1
        elif status >= 500:
            self.failures[f"answered {status}"] += 1


@dataclass
class User:
    """Somebody who uses the node at `address`, from `run` until `until`, a time of the monotonic clock."""

    address: str
    secrets: dict[str, str]
    seed: str
    book: Book = field(default_factory=Book)
    until: float = 0.0
    pause = 4.0  # seconds between two acts, on average; together they want half of what one process can do

    def __post_init__(self) -> None:
        self.choice = random.Random(self.seed)
        self.http = requests.Session()
        self.http.trust_env = False

    def warm_up(self) -> None:
        """Sign in, which is slow on purpose, and do everything once: what is made at first use is not measured."""
        self.begin()
        self.act()
        self.book = Book()

    def run(self) -> None:
        try:
            for _ in self.turns():
                self.act()
        except Exception as error:  # noqa: BLE001 - any end before the time is a failure of the run
            self.book.failures[f"{type(self).__name__} ended: {type(error).__name__}: {error}"[:200]] += 1

    def turns(self) -> Iterator[None]:
        stop = threading.Event()
        while time.monotonic() < self.until:
            yield
            stop.wait(self.choice.expovariate(1 / self.pause))

    def begin(self) -> None:
        """Sign in."""

    def act(self) -> None:
        raise NotImplementedError

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        begun = time.monotonic()
        answer = self.http.request(method, f"{self.address}{path}", timeout=LIMIT, **options)
        self.book.note(time.monotonic() - begun, answer.status_code, "Retry-After" in answer.headers)
        return answer


class Editor(User):
    """Opens lists, searches, opens a post, and saves it with another text."""

    def begin(self) -> None:
        page = self.ask("GET", "/admin/login/")
        form = form_of(page, "login-form") | {"username": "soak", "password": self.secrets["SOAK_PASSWORD"]}
        form["csrfmiddlewaretoken"] = self.http.cookies["soak_csrf"]
        assert "/login/" not in self.ask("POST", "/admin/login/", data=form).url

    def act(self) -> None:
        self.ask(
            "GET",
            self.choice.choice(["/admin/", "/admin/news/post/", "/admin/news/post/?q=post", "/admin/audit/entry/"]),
        )
        path = f"/admin/news/post/{self.choice.randint(1, 400)}/change/"
        page = self.ask("GET", path)
        form = form_of(page, "post_form") | {"body": f"Edited {time.monotonic()} by {self.seed}."}
        self.ask("POST", path, data=form)


class Program(User):
    """Somebody with an API key."""

    def begin(self) -> None:
        self.http.headers["Authorization"] = f"Bearer {self.secrets['SOAK_KEY']}"


class Reader(Program):
    pause = 0.5

    def act(self) -> None:
        queries = ["", "?limit=500", "?search=post", "?sort=-title&limit=100", "?count=true", "?all=true"]
        self.ask("GET", POSTS + self.choice.choice(queries))
        self.ask("GET", f"{POSTS}{self.choice.randint(1, 400)}/")


class Writer(Program):
    """Adds a post, changes it, and deletes it."""

    pause = 1.0

    def act(self) -> None:
        post = {"title": f"New {self.seed}", "body": "B"}
        made = self.ask("POST", POSTS, json=post, headers={"Idempotency-Key": self.key()})
        if made.status_code == 201:
            path = f"{POSTS}{made.json()['id']}/"
            self.ask("PATCH", path, json={"body": f"Changed {self.key()}."})
            self.ask("DELETE", path)

    def key(self) -> str:
        return f"{self.choice.getrandbits(64):x}"


class Importer(Editor):
    """Imports a file that changes 500 posts, and exports them."""

    pause = 20.0

    def act(self) -> None:
        text = f"Imported {self.choice.getrandbits(64):x}."
        rows = table(["id", "body"], *([number, text] for number in range(401, 401 + IMPORTED)))
        form = self.form_at("/admin/news/post/import/") | {"format": str(FORMATS.index("csv")), "resource": ""}
        page = self.ask("POST", "/admin/news/post/import/", data=form, files={"import_file": ("rows.csv", rows)})
        address = page.url.removeprefix(self.address)
        for _ in self.within(60):
            page = self.ask("GET", address)
            if "/confirm/" in page.text:
                form = {"csrfmiddlewaretoken": self.http.cookies["soak_csrf"]}
                self.ask("POST", address.replace("/change/", "/confirm/"), data=form)
            elif "/undo/" in page.text:
                return
        self.book.failures["an import did not end within 60 s"] += 1

    def form_at(self, path: str) -> dict[str, str]:
        self.ask("GET", path)
        return {"csrfmiddlewaretoken": self.http.cookies["soak_csrf"]}

    def within(self, seconds: float) -> Iterator[None]:
        end, pause = time.monotonic() + seconds, threading.Event()
        while time.monotonic() < min(end, self.until + seconds):
            yield
            pause.wait(0.5)


class Slow(User):
    """Holds a connection as long as it is let: a head, a body or an answer that never gets on."""

    pause = 0.2

    def warm_up(self) -> None:
        """There is nothing that it would be spared."""

    def act(self) -> None:
        host, _, port = self.address.removeprefix("http://").partition(":")
        with suppress(OSError), socket.create_connection((host, int(port)), timeout=5) as one:
            self.hold(one, self.choice.choice([self.head, self.body, self.reader]))

    def hold(self, one: socket.socket, how: Callable[[socket.socket], None]) -> None:
        begun = time.monotonic()
        how(one)
        self.book.seconds.append(time.monotonic() - begun)

    def head(self, one: socket.socket) -> None:
        self.drip(one, b"GET /admin/ HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"X: y\r\n")

    def body(self, one: socket.socket) -> None:
        head = b"POST /admin/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 90000\r\n"
        self.drip(one, head + b"Content-Type: application/x-www-form-urlencoded\r\n\r\n", b"a")

    def reader(self, one: socket.socket) -> None:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lines = [
            f"GET {POSTS}?all=true HTTP/1.1",
            "Host: 127.0.0.1",
            f"Authorization: Bearer {self.secrets['SOAK_KEY']}",
        ]
        one.sendall("\r\n".join([*lines, "", ""]).encode())
        pause, end = threading.Event(), self.end()
        while time.monotonic() < end and one.recv(512):
            pause.wait(0.5)

    def drip(self, one: socket.socket, first: bytes, part: bytes) -> None:
        one.sendall(first)
        pause, end = threading.Event(), self.end()
        while time.monotonic() < end:
            one.sendall(part)
            pause.wait(0.5)

    def end(self) -> float:
        return min(self.until, time.monotonic() + 20)


KINDS: dict[str, tuple[type[User], int]] = {
    "editors": (Editor, 3),
    "API readers": (Reader, 3),
    "API writers": (Writer, 2),
    "importers": (Importer, 1),
    "slow clients": (Slow, 30),
}
