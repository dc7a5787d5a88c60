"""Each ready role, from its sign-in: what it finds, and what is not there for it."""

from dataclasses import dataclass

import pytest
from django.contrib.auth.models import Group
from playwright.sync_api import expect

from backoffice.accounts.models import User
from content.news.models import Post
from tests.browser.conftest import log_in
from tests.remote import Fault
from tests.syncer.conftest import sync
from tests.syncer.support import worker_alive

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "correct horse battery"
MENU = {"Posts", "Imports", "Erasures", "Bindings", "Targets", "Failed tasks", "Users", "Groups"}
ACTS = {"Import", "Export", "Save", "Delete post", "Hold …", "Sync now"}  # of a list of posts, and of one of them
PAGES = {
    "posts": "/admin/news/post/",
    "a new post": "/admin/news/post/add/",
    "import": "/admin/news/post/import/",
    "export": "/admin/news/post/export/",
    "targets": "/admin/syncer/target/",
    "setup": "/admin/syncer/target/setup/",
    "objects at targets": "/admin/syncer/binding/",
    "accounts": "/admin/accounts/user/",
}


@dataclass(frozen=True, kw_only=True)
class Sees:
    """What somebody with a role finds of MENU, ACTS and PAGES."""

    menu: set[str]
    acts: set[str]
    pages: set[str]


VIEWER = Sees(menu={"Posts"}, acts=set(), pages={"posts"})
EDITOR = Sees(menu=VIEWER.menu, acts={"Save", "Delete post"}, pages={"posts", "a new post"})
IMPORTER = Sees(
    menu=EDITOR.menu | {"Imports"}, acts=EDITOR.acts | {"Import", "Export"}, pages=EDITOR.pages | {"import", "export"}
)
OPERATOR = Sees(
    menu=VIEWER.menu | {"Imports", "Bindings", "Targets", "Failed tasks"},
    acts={"Hold …", "Sync now"},
    pages=VIEWER.pages | {"targets", "objects at targets"},
)
ADMINISTRATOR = Sees(menu=MENU, acts=ACTS, pages={*PAGES})
ROLES = {
    "viewer": VIEWER, "editor": EDITOR, "importer": IMPORTER, "operator": OPERATOR, "administrator": ADMINISTRATOR,
}  # fmt: skip


@pytest.fixture
def post(target, remote):
    """A post that the target has; another one was refused."""
    taken = {"method": "POST", "where": lambda sent: sent["title"] == "Taken", "times": None}
    remote.fault(Fault.STATUS, status=422, body={"title": ["is taken"]}, **taken)
    post = Post.objects.create(title="From the shelf", body="Words")
    Post.objects.create(title="Taken", body="Words")
    sync(target)
    worker_alive()
    return post


@pytest.mark.parametrize("role", ROLES)
def test_a_role_finds_what_it_may_do_and_nothing_else(visit, post, shot, role):
    sees = ROLES[role]
    page = visit()
    User.objects.create_user(role, password=PASSWORD, is_staff=True).groups.add(Group.objects.get(role=role))
    log_in(page, role, PASSWORD)
    if role == "operator":
        expect(page.get_by_text("1 object needs you")).to_be_visible()
        shot(page, "home-operator")
    assert MENU & texts(page.locator("#nav-sidebar a")) == sees.menu
    page.goto(PAGES["posts"])
    acts = acts_of(page)
    page.get_by_role("main").get_by_role("link", name=post.title).click()
    expect(page.get_by_role("heading", name=post.title)).to_be_visible()
    assert acts | acts_of(page) == sees.acts
    forbidden = {name for name, path in PAGES.items() if page.request.get(path).status == 403}
    assert forbidden == {*PAGES} - sees.pages
    for name in sorted(forbidden)[:1]:
        page.watched.expected.append("403")
        page.goto(PAGES[name])
        expect(page.get_by_role("heading", name="You may not do this")).to_be_visible()
        page.get_by_role("link", name="Home").click()
        expect(page.get_by_role("heading", name="Home")).to_be_visible()


def texts(found):
    return {text.strip() for text in found.all_text_contents()}


def acts_of(page):
    """Those of ACTS that the page offers."""
    roles = ("button", "link")
    return {act for act in ACTS if any(page.get_by_role(role, name=act).count() for role in roles)}
