import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client

from backoffice.accounts.models import User
from syncer.engine.runs import work
from syncer.models import Route, Run, Target
from tests.browser import chromium
from tests.browser.tour import WIDE
from tests.browser.watching import Watched
from tests.remote import Remote

# Playwright's own loop runs in the thread of the test, for which Django would refuse the ORM.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
SECONDS = 20  # that a page may take to show what a test waits for: an end, not an expectation

Open = Callable[..., Any]


@pytest.fixture(scope="session")
def chrome() -> Iterator[Any]:
    """The browser's process; each test has a context of its own in it."""
    from playwright.sync_api import sync_playwright  # of .venvs/browser

    assert chromium.path(), "No Chromium was found. `make test-browser` installs one, or says how."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.path(), args=chromium.FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chrome: Any, live_server: Any) -> Iterator[Open]:
    """Open pages in the browser, signed in as somebody or not: `visit(user, **options)`; `at`: of another node.

    At the end the test fails for whatever a page did that no page may do.
    """
    with ExitStack() as opened:
        contexts = []

        def visit(user: User | None = None, *, at: str = live_server.url, **options: Any) -> Any:
            context = chrome.new_context(base_url=at, **{"viewport": WIDE, "reduced_motion": "reduce", **options})
            opened.callback(context.close)
            context.set_default_timeout(SECONDS * 1000)
            if user is not None:
                sign_in(context, user, at)
            page = context.new_page()
            page.watched = Watched(context, urlsplit(at).netloc)
            contexts.append(page.watched)
            return page

        yield visit
        assert [fault for watched in contexts for fault in watched.faults] == []


def sign_in(context: Any, user: User, url: str) -> None:
    """Give the browser a session of the user."""
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": url}])


def log_in(page: Any, name: str, password: str) -> None:
    """Sign in as people do, by the form."""
    page.goto("/admin/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Home").wait_for()


@pytest.fixture
def page(visit: Open) -> Any:
    """A page of an administrator."""
    return visit(User.objects.filter(is_superuser=True).first() or administrator_user())


def administrator_user() -> User:
    return User.objects.create_superuser("administrator")


@pytest.fixture
def target(remote: Remote, transactional_db: None) -> Target:
    """The Fake API, with a route for posts."""
    target = Target.objects.create(name="fakeapi", title="Fake API", url=remote.url, timeout=5)
    fields = {"userId": "user_id", "title": "title", "body": "body"}
    Route.objects.create(target=target, model="news.Post", path="/posts", fields=fields, lookup=["userId", "title"])
    return target


def work_off() -> None:
    """Do the runs that wait, as a worker does; one costs seconds to start."""
    for run in Run.objects.filter(finished_at=None):
        work(run)


@pytest.fixture
def shot() -> Callable[[Any, str], None]:
    """Keep a picture of the page for the docs, where `SCREENSHOTS` names a folder: `shot(page, "post")`."""

    def shot(page: Any, name: str) -> None:
        if folder := os.environ.get("SCREENSHOTS"):
            page.screenshot(path=Path(folder) / f"{name}.png")

    return shot
