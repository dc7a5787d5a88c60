"""Law 10: whether a person may write something is answered alike, and in the same words, at every entry point."""

import html
import re
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import pytest
import tablib
from django.contrib import admin
from django.contrib.messages import get_messages
from django.forms import modelform_factory
from django.urls import reverse

from backoffice.kit.permissions import Person, Write, batch_refusals, refusals
from content.base.forms import ContentForm
from content.news.models import LOCAL_USER_ID, Comment, Post
from content.orders.models import Order
from content.palettes.models import Palette
from syncer.core.merge import State
from syncer.models import Route
from syncer.targets.peer.inbound import writing
from syncer.targets.peer.inbound.merging import MergedItem
from syncer.targets.peer.message import Result
from tests.content.api_client import ApiClient
from tests.content.pages import browser, person
from tests.content.palettes.people import team_of

pytestmark = [pytest.mark.law, pytest.mark.django_db]

ADDRESSES = {Post: "/api/news/posts/", Order: "/api/orders/", Palette: "/api/palettes/palettes/"}
POST = {"title": "T", "body": "B"}
ORDER = {"product_name": "lamp", "quantity": 1}
PALETTE = {"name": "Spring", "colors": ["#FF0000"], "team": "own"}
SET_USER_ID = "You need the permission news.set_user_id to set the user id to “5” instead of “{}”."
REOPEN = "You need the permission orders.reopen_order to set the status to “PENDING” instead of “SHIPPED”."


@dataclass(frozen=True)
class Case:
    """A write, and what is said to it.

    Attributes:
        permission: what the person has; whoever writes may also view.
        old: the stored values; None: the object is new. new: those that are to be set. Teams are "own" and "foreign".
        says: by field; under "" of the write as a whole; nothing: it is done.
    """

    model: Any
    permission: str
    old: dict[str, Any] | None
    new: dict[str, Any]
    says: dict[str, str]


CASES = {
    "add": Case(Post, "news.add_post", None, POST, {}),
    "add without": Case(
        Post, "news.change_post", None, POST, {"": "You need the permission news.add_post to add posts."}
    ),
    "add a value": Case(
        Post, "news.add_post", None, POST | {"user_id": 5}, {"user_id": SET_USER_ID.format(LOCAL_USER_ID)}
    ),
    "add the default": Case(Post, "news.add_post", None, POST | {"user_id": LOCAL_USER_ID}, {}),
    "add a value with": Case(Post, "news.add_post news.set_user_id", None, POST | {"user_id": 5}, {}),
    "change": Case(Post, "news.change_post", POST, {"title": "New"}, {}),
    "change without": Case(
        Post, "news.add_post", POST, {"title": "New"}, {"": "You need the permission news.change_post to change posts."}
    ),
    "change a value": Case(
        Post, "news.change_post", POST | {"user_id": 7}, {"user_id": 5}, {"user_id": SET_USER_ID.format(7)}
    ),
    "change beside a value": Case(
        Post, "news.change_post", POST | {"user_id": 5}, {"user_id": 5, "title": "New"}, {}
    ),
    "change a value with": Case(
        Post, "news.change_post news.set_user_id", POST | {"user_id": 7}, {"user_id": 5}, {}
    ),
    "set forward": Case(Order, "orders.change_order", ORDER, {"status": "SHIPPED"}, {}),
    "set back": Case(
        Order, "orders.change_order", ORDER | {"status": "SHIPPED"}, {"status": "PENDING"}, {"status": REOPEN}
    ),
    "set back with": Case(
        Order, "orders.change_order orders.reopen_order", ORDER | {"status": "SHIPPED"}, {"status": "PENDING"}, {}
    ),
    "point to ones own": Case(Palette, "palettes.change_palette", PALETTE, {"team": "second"}, {}),
    "point to a foreign one": Case(
        Palette,
        "palettes.change_palette",
        PALETTE,
        {"team": "foreign"},
        {"team": "There is no team {foreign} that you may see."},
    ),
    "point to a foreign one with": Case(
        Palette, "palettes.change_palette palettes.view_all_teams", PALETTE, {"team": "foreign"}, {}
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Attempt:
    """A case whose rows are there.

    Attributes:
        values: by field, with the keys of teams; those that are left out are not to change.
        stored: None: the object is new.
    """

    user: Any
    model: Any
    values: dict[str, Any]
    stored: Any

    def filled(self) -> Any:
        """The object as it is to be, not saved."""
        obj = self.model.objects.get(pk=self.stored.pk) if self.stored else self.model()
        for name, value in self.values.items():
            setattr(obj, self.model._meta.get_field(name).attname, value)
        return obj


Said = dict[str, list[str]]  # by field, "" for the whole


def by_form(attempt: Attempt, rf: Any) -> Said:
    request = rf.post("/")
    request.user = attempt.user
    page = admin.site._registry[attempt.model]
    made = modelform_factory(
        attempt.model,
        form=ContentForm,
        fields=[*attempt.values],
        formfield_callback=partial(page.formfield_for_dbfield, request=request),
    )
    made.user = attempt.user  # type: ignore[attr-defined]
    blank = made(instance=attempt.stored)
    shown = {f"initial-{name}": blank[name].value() for name in attempt.values}
    form = made({**shown, **attempt.values}, instance=attempt.stored)
    return {name.replace("__all__", ""): [*errors] for name, errors in form.errors.items()}


def by_api(attempt: Attempt, rf: Any) -> Said:
    client, address = ApiClient(attempt.user), ADDRESSES[attempt.model]
    if attempt.stored:
        answer = client.send("PATCH", f"{address}{attempt.stored.pk}/", attempt.values)
    else:
        answer = client.send("POST", address, attempt.values)
    if answer.status_code < 300:
        return {}
    assert answer.status_code in (403, 422)
    found = {error["field"]: [error["message"]] for error in answer.json()["errors"]}
    return found or {"": [answer.json()["detail"]]}


def by_csv(attempt: Attempt, rf: Any) -> Said:
    key = {"id": attempt.stored.pk} if attempt.stored else {}
    row = key | attempt.values
    resource = cast("Any", admin.site._registry[attempt.model]).resource_classes[0](user=attempt.user)
    result = resource.import_data(tablib.Dataset([*row.values()], headers=[*row]), dry_run=True)
    assert not result.base_problems()
    found: Said = {}
    for _, column, message in result.problems():
        found.setdefault(column, []).append(message)
    return found


def by_revert(attempt: Attempt, rf: Any) -> Said:
    """The version with the new values comes between the old ones; it does not say which field it is."""
    wanted = attempt.filled()
    if attempt.stored is None:
        wanted.save()
        attempt.model.objects.filter(pk=wanted.pk).delete()
    else:
        old = attempt.model.objects.filter(pk=wanted.pk).values().get()
        wanted.save()
        attempt.model.objects.filter(pk=wanted.pk).update(**old)
    record = wanted.history.all()[1]
    options = attempt.model._meta
    url = reverse(f"admin:{options.app_label}_{options.model_name}_simple_history", args=[wanted.pk, record.pk])
    answer = browser(attempt.user).post(url)
    if answer.status_code == 403:
        return {"": [html.unescape(text) for text in re.findall("<p>(.*)</p>", answer.content.decode())]}
    (message,) = get_messages(answer.wsgi_request)
    _, refused, why = str(message).partition("It can't go back to that version. ")
    assert refused or "is again as it was" in str(message)
    return {"": [why]} if refused else {}


def by_peer(attempt: Attempt, rf: Any) -> Said:
    """Keys of most models are no keys that peers could share, so this begins behind the message."""
    merged = handed_in(attempt.stored, attempt.filled())
    writing.refuse(Route(model=attempt.model._meta.label), [merged], user=attempt.user)
    later = "team" in merged.faults  # it may still come
    assert merged.instead == (Result.LATER if later else Result.REFUSED if merged.faults else None)
    name = str(attempt.user)
    spoken = {f"{name} needs": "You need", f"that {name} may": "that you may"}
    return {
        field: [text.replace(old, new) for text in texts for old, new in spoken.items() if old in text]
        for field, texts in merged.faults.items()
    }


def handed_in(stored: Any, row: Any) -> MergedItem:
    unused: Any = None
    return MergedItem(
        item=unused, key="", replica=unused, row=row, stored=stored, state=State(), is_news=True, is_known=False,
        asks=frozenset(), faults={},
    )  # fmt: skip


@pytest.mark.parametrize("ask", [by_form, by_api, by_csv, by_revert, by_peer])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_entry_point_says_the_same(case, ask, rf):
    options = case.model._meta
    user = person("editor", f"{options.app_label}.view_{options.model_name}", *case.permission.split())
    teams = {"own": team_of(user).pk, "second": team_of(user, name="2").pk, "foreign": team_of(name="3").pk}
    old, new = ({**values, **team_in(values, teams)} if values is not None else None for values in (case.old, case.new))
    stored = None if old is None else create(case.model, old)
    said = ask(Attempt(user, case.model, new or {}, stored), rf)
    says = {field: [text.format(**teams)] for field, text in case.says.items()}
    assert said == ({"": [text for texts in says.values() for text in texts]} if ask is by_revert and says else says)


def team_in(values, teams):
    return {"team": teams[values["team"]]} if "team" in values else {}


def create(model, values):
    return model.objects.create(**{model._meta.get_field(name).attname: value for name, value in values.items()})


# --- what only some entry points have --------------------------------------------------------------------------------
def test_whoever_deletes_needs_the_right_to_delete_what_goes_with_it(rf):
    user = person("remover", "news.delete_post")
    post = Post.objects.create(title="T", body="B")
    comment = Comment.objects.create(post=post, name="N", email="reader@example.com", body="B")
    (refusal,) = refusals(Write("delete", post), Person(user))
    assert refusal.message == "You need the permission news.delete_comment to delete the post's comments."
    assert ApiClient(user).delete(f"/api/news/posts/{post.pk}/").json()["detail"] == refusal.message
    merged = handed_in(post, None)
    writing.refuse(Route(model="news.Post"), [merged], user=user)
    assert merged.faults == {"": [refusal.message.replace("You need", "remover needs")]}
    comment.delete()
    assert refusals(Write("delete", post), Person(user)) == []


def test_a_peer_changes_nothing_that_its_account_can_not_see():
    user = person("peer", "palettes.change_palette")
    stored = Palette.objects.create(team=team_of(), name="Spring", colors=[])
    merged = handed_in(stored, Palette(pk=stored.pk, team_id=stored.team_id, name="May", colors=[]))
    writing.refuse(Route(model="palettes.Palette"), [merged], user=user)
    assert merged.faults == {"": [f"There is no palette {stored.pk} that peer may see."]}
    assert merged.instead == Result.REFUSED


def test_many_writes_ask_once_for_each_foreign_key(django_assert_max_num_queries):
    user = person("editor", "news.add_comment")
    posts = Post.objects.bulk_create([Post(title="T", body="B") for _ in range(20)])
    user.has_perm("news.add_comment")  # permissions are remembered
    writes = [Write("add", Comment(post_id=post.pk, name="N", email="a@example.com", body="B")) for post in posts]
    gone = Write("add", Comment(post_id=posts[-1].pk + 1, name="N", email="a@example.com", body="B"))
    with django_assert_max_num_queries(1):
        found = batch_refusals([*writes, gone], Person(user))
    assert [len(one) for one in found] == [0] * 20 + [1]


def test_a_program_may_write_everything():
    post = Post(title="T", body="B", user_id=5)
    assert refusals(Write("add", post), Person(None)) == []
    assert refusals(Write("add", Palette(team_id=0)), Person(None)) == []


@pytest.mark.parametrize("key", [0, 10**30])
def test_a_link_to_nothing_is_refused_as_one_to_what_is_not_theirs(key):
    user = person("editor", "palettes.add_palette")
    (refusal,) = refusals(Write("add", Palette(team_id=key)), Person(user))
    assert (refusal.field, refusal.is_link) == ("team", True)
    assert refusal.message == f"There is no team {key} that you may see."
