"""The engine's pages: what they show, what their buttons do, and for whom."""

import csv
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backoffice.accounts.models import User
from content.news.models import Comment, Post
from syncer.core.state import State
from syncer.engine.runs import work
from syncer.models import Attempt, Binding, Route, Run, Target
from syncer.models.mapping import declarations
from syncer.reports import states
from syncer.reports.failures import normalized
from syncer.reports.states import having
from tests.content.pages import administrator, form_of, sign_in, with_rows
from tests.remote import Fault
from tests.syncer.conftest import sync

pytestmark = pytest.mark.django_db(transaction=True)

VIEW = tuple(f"syncer.view_{model}" for model in ("target", "route", "binding", "run", "attempt"))
SYNC = "syncer.sync_target"


def url(page, *args):
    return reverse(f"admin:syncer_{page}", args=args)


def posts(number, title="Title"):
    return Post.objects.bulk_create(Post(title=f"{title} {i}", body="Body") for i in range(number))


def progress(run, client=None):
    return (client or administrator()).get(url("run_progress", run.pk)).json()


# --- Sync now --------------------------------------------------------------------------------------------------------
def test_sync_now_asks_for_a_run_and_leads_to_its_page(target):
    answer = sign_in(SYNC).post(url("target_sync", target.pk))
    run = Run.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, url("run_change", run.pk))
    assert (run.target, str(run.user), run.trigger, run.scope) == (target, "editor", "manual", None)


def test_a_run_names_whoever_started_it_after_the_account_is_deleted(target):
    sign_in(SYNC).post(url("target_sync", target.pk))
    User.objects.get(username="editor").delete()
    assert "by editor" in administrator().get(url("run_change", Run.objects.get().pk)).content.decode()
    assert "editor" in administrator().get(url("run_changelist")).content.decode()


def test_sync_now_pressed_twice_is_one_run(target):
    client = sign_in(SYNC)
    pages = {client.post(url("target_sync", target.pk))["Location"] for _ in range(2)}
    assert pages == {url("run_change", Run.objects.get().pk)}


def test_the_permission_to_sync_is_enough_to_see_the_run(target):
    client = sign_in(SYNC)
    assert client.get(client.post(url("target_sync", target.pk))["Location"]).status_code == 200


def test_sync_all_syncs_every_target_that_is_switched_on(target):
    Target.objects.create(name="second", url="http://127.0.0.1:9")
    Target.objects.create(name="off", url="http://127.0.0.1:9", enabled=False)
    client = sign_in(SYNC, *VIEW)
    page = client.post(url("target_sync_all"), follow=True)
    assert sorted(Run.objects.values_list("target__name", flat=True)) == ["fakeapi", "second"]
    assert len(page.context["cl"].result_list) == 2


BUTTONS = {
    "target_sync": SYNC,
    "target_pause": SYNC,
    "target_resume": SYNC,
    "target_trigger": "syncer.change_route",
    "route_recompare": "syncer.change_route",
}
NO_KEYS = ["abc", "0", "9" * 19, "9" * 5000, "\u00b2", "5_0"]


@pytest.mark.parametrize("button", BUTTONS)
def test_a_button_needs_its_permission_and_changes_nothing_without(target, button):
    before = [*Target.objects.values(), *Route.objects.values()]
    data = {"trigger": "change"}
    key = target.routes.first().pk if button.startswith("route") else target.pk
    others = set(BUTTONS.values()) - {BUTTONS[button]}
    assert sign_in(*VIEW, *others).post(url(button, key), data).status_code == 403
    assert [*Target.objects.values(), *Route.objects.values()] == before
    assert not Run.objects.exists()


@pytest.mark.parametrize("button", BUTTONS)
@pytest.mark.parametrize("key", NO_KEYS, ids=range(6))
def test_a_button_of_nothing_is_not_there(target, button, key):
    page = button.replace("_", f"/{key}/")
    assert administrator().post(f"/admin/syncer/{page}/").status_code == 404


@pytest.mark.parametrize("key", NO_KEYS, ids=range(6))
def test_a_page_of_nothing_is_not_there(target, key):
    client = administrator()
    for page in (f"run/{key}/progress", f"run/{key}/change", f"target/{key}/preview"):
        assert client.get(f"/admin/syncer/{page}/").status_code == 404, page


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("binding", {"model": "\0"}),
        ("binding", {"state": "\0"}),
        ("binding", {"route__target__id__exact": "9" * 5000}),
        ("run", {"state__exact": "\0"}),
        ("attempt", {"action__exact": "\0"}),
        ("attempt", {"binding__id__exact": "9" * 5000}),
        ("attempt", {"at_from_0": "\0"}),
        ("run", {"q": "\0"}),
    ],
)
def test_a_filter_that_means_nothing_breaks_no_list(target, page, query):
    assert administrator().get(url(f"{page}_changelist"), query).status_code < 500


@pytest.mark.parametrize("button", BUTTONS)
def test_a_link_presses_no_button(target, button):
    key = target.routes.first().pk if button.startswith("route") else target.pk
    assert administrator().get(url(button, key)).status_code == 405


def test_whoever_may_only_look_sees_states_and_no_buttons(target):
    Post.objects.create(title="A", body="B")
    client = sign_in(*VIEW)
    for page in (url("target_changelist"), url("target_change", target.pk), url("target_preview", target.pk)):
        text = client.get(page).content.decode()
        assert "Fake API" in text
        assert "Sync now" not in text.replace("presses Sync now", "")
        assert "Sync all now" not in text
        assert "Pause" not in text


# --- the run's page --------------------------------------------------------------------------------------------------
def test_a_run_that_nobody_took_yet_says_so_and_after_ten_seconds_asks_for_the_worker(target):
    administrator().post(url("target_sync", target.pk))
    run = Run.objects.get()
    client = sign_in(*VIEW)
    found = progress(run, client)
    assert (found["open"], found["message"], found["hint"]) == (True, "Waiting for a worker.", "")
    Run.objects.update(created_at=timezone.now() - timedelta(seconds=11))
    assert "manage.py worker" in progress(run, client)["hint"]
    assert "manage.py worker" in client.get(url("run_change", run.pk)).content.decode()


def test_progress_moves_while_a_run_goes_on(target, settings):
    settings.SYNC_BATCH = 2
    posts(5)
    client = administrator()
    client.post(url("target_sync", target.pk))
    run = Run.objects.get()
    moves = []
    while not work(run, seconds=0):
        found = progress(run, client)
        assert (found["open"], found["state"]) == (True, "running")
        moves.append((found["done"], found["total"], found["percent"], found["counts"]["created"]))
    assert moves == [(2, 5, 40, 2), (4, 5, 80, 4), (5, 5, 100, 5)][: len(moves)]
    assert len(moves) >= 2
    found = progress(run, client)
    assert (found["open"], found["done"], found["total"], found["message"]) == (False, 5, 5, "5 created.")


def test_the_page_of_an_open_run_reloads_itself_without_a_script(target):
    client = administrator()
    client.post(url("target_sync", target.pk))
    run = Run.objects.get()
    assert 'http-equiv="refresh"' in client.get(url("run_change", run.pk)).content.decode()
    work(run)
    assert 'http-equiv="refresh"' not in client.get(url("run_change", run.pk)).content.decode()


def failed(run, client=None):
    return (client or administrator()).get(url("run_failures", run.pk)).context


def test_what_failed_is_listed_by_reason_with_a_request_and_its_answer(remote, target):
    remote.fault(Fault.STATUS, method="POST", path="/posts", status=422, body={"title": ["not here"]}, times=None)
    post = Post.objects.create(title="A title", body="B")
    run = sync(target)
    (shown,) = failed(run)["groups"]
    assert (shown.outcome, shown.group.status, shown.group.number, shown.more) == ("Refused", 422, 1, 0)
    assert "not here" in shown.reason
    (obj,) = shown.objects
    assert (obj.name, obj.title) == (f"Post {post.pk}", "A title")
    assert obj.url == reverse("admin:news_post_change", args=[post.pk])
    page = sign_in(*VIEW, "news.view_post").get(url("run_change", run.pk)).content.decode()
    for text in ("A title", "not here", "One request and its answer", "&quot;title&quot;: &quot;A title&quot;"):
        assert text in page


def test_answers_that_differ_in_numbers_and_ids_alone_have_one_reason():
    assert normalized("Post 12 is  taken") == normalized("Post 9 is taken") == "Post … is taken"
    assert normalized(f"no {uuid4()}") == "no …"
    assert normalized("Title 'A' is taken") != normalized("Body 'A' is taken")


def test_each_reason_is_a_group_the_largest_first(remote, target):
    posts(3, "Many")
    posts(1, "One")
    run = sync(target)
    outcome = {"action": "create", "outcome": "permanent", "status": 422}
    run.attempts.update(**outcome, answer="The title is taken by 5.")
    run.attempts.filter(binding__object_key=str(Post.objects.get(title="One 0").pk)).update(answer="Too long.")
    assert [(shown.reason, shown.group.number) for shown in failed(run)["groups"]] == [
        ("The title is taken by ….", 3),
        ("Too long.", 1),
    ]


def test_one_reason_is_retried_and_the_others_are_not(remote, target):
    remote.fault(Fault.STATUS, method="POST", path="/posts", status=422, times=None)
    posts(3)
    run = sync(target)
    other = run.failures()[0]
    run.attempts.filter(binding=other.binding).update(answer="Another reason.")
    (shown, _) = failed(run)["groups"]
    url_ = url("run_retry", run.pk)
    assert sign_in(*VIEW).post(url_, {"group": shown.group.key}).status_code == 403
    client = administrator()
    answer = client.post(url_, {"group": shown.group.key})
    again = Run.objects.latest("pk")
    assert answer["Location"] == url("run_change", again.pk)
    keys = (again.scope or {})["news.Post"]
    assert len(keys) == 2
    assert other.binding.object_key not in keys
    remote.heal()
    work(again)
    assert Binding.objects.filter(remote_id__isnull=False).count() == 2
    page = client.post(url_, {"group": shown.group.key}, follow=True).content.decode()
    assert "Nothing of it is left to retry" in page


def rows_of(answer):
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(text.removeprefix("\ufeff").splitlines()))


def test_what_failed_is_downloaded_for_a_spreadsheet(remote, target):
    remote.fault(Fault.STATUS, method="POST", path="/posts", status=422, times=None)
    post = Post.objects.create(title="=1+1", body="B")
    run = sync(target)
    titles, row = rows_of(administrator().get(url("run_download", run.pk)))
    assert titles == ["model", "key", "title", "outcome", "status", "reason"]
    assert row[:5] == ["news.Post", str(post.pk), "'=1+1", "Refused", "422"]
    _, hidden = rows_of(sign_in(*VIEW).get(url("run_download", run.pk)))
    assert hidden[2:] == ["", "Refused", "422", "You need the permission news.view_post to view posts."]
    assert sign_in("news.view_post", name="viewer").get(url("run_download", run.pk)).status_code == 403


def test_a_failed_object_is_not_linked_for_whoever_may_not_see_it(remote, target):
    remote.fault(Fault.STATUS, method="POST", path="/posts", status=422)
    Post.objects.create(title="A", body="B")
    run = sync(target)
    (shown,) = failed(run, sign_in(*VIEW))["groups"]
    assert [obj.url for obj in shown.objects] == [""]
    assert (shown.example, shown.reason) == (None, "")


def test_how_fast_a_run_goes_is_said_and_how_long_it_took(target):
    posts(4)
    run = sync(target)
    Run.objects.update(started_at=F("finished_at") - timedelta(seconds=80))
    assert progress(run)["pace"] == "It took 1 min 20 s."
    Run.objects.update(started_at=F("finished_at") - timedelta(seconds=0.4))
    assert progress(run)["pace"] == "It took less than a second."
    began = timezone.now() - timedelta(seconds=2)
    Run.objects.update(state="running", finished_at=None, started_at=began, total=8)
    posts(4)
    Binding.objects.bulk_create(
        [Binding(route=target.routes.get(model="news.Post"), object_key=f"{n}", wanted=1) for n in range(100, 104)]
    )
    assert re.fullmatch(r"(2|2\.0|1\.\d) a second, about [23] s left", progress(run)["pace"])


def test_the_headline_reports_a_refused_connection(remote, target):
    remote.stop()
    Post.objects.create(title="A", body="B")
    run = sync(target)
    page = administrator().get(url("run_change", run.pk)).content.decode()
    assert "Fake API refused the connection; 1 change is kept, next try in" in page
    found = progress(run, sign_in(*VIEW))
    assert (found["done"], found["total"], found["counts"]["failed"]) == (0, 1, 1)


def test_a_finished_run_shows_its_stored_counts_after_its_attempts_were_pruned(target):
    posts(3)
    run = sync(target)
    Attempt.objects.all().delete()
    posts(2)
    found = progress(run)
    assert (found["counts"]["created"], found["counts"]["requests"]) == (3, 3)
    assert (found["done"], found["total"], failed(run)["groups"]) == (3, 3, [])


def test_many_failures_are_counted_and_the_first_of_them_shown(remote, target):
    remote.fault(Fault.STATUS, method="POST", path="/posts", status=422, times=None)
    posts(103)
    run = sync(target)
    (shown,) = failed(run)["groups"]
    assert (shown.group.number, len(shown.objects), shown.more) == (103, 10, 93)
    assert progress(run)["counts"]["failed"] == 103


def test_a_run_needs_a_permission_to_be_seen(target):
    run = sync(target)
    client = sign_in("syncer.view_target")
    assert client.get(url("run_change", run.pk)).status_code == 403
    assert client.get(url("run_progress", run.pk)).status_code == 403


# --- who may not view the content ------------------------------------------------------------------------------------
def pages_of_a_refused_edit(remote, target):
    """A post that the target holds, edited, and the edit refused with an answer that quotes it."""
    post = Post.objects.create(title="old words", body="old body")
    sync(target)
    Post.objects.filter(pk=post.pk).update(title="new words", body="new body")
    body = {"error": "new words are too new"}
    remote.fault(Fault.STATUS, method="PUT", status=500, body=body, times=None)
    run = sync(target)
    pages = [url(f"{page}_changelist") for page in ("target", "binding", "run", "attempt")]
    pages += [
        url("run_change", run.pk),
        url("run_progress", run.pk),
        url("run_failures", run.pk),
        url("binding_change", Binding.objects.get().pk),
    ]
    pages += [url("attempt_change", attempt.pk) for attempt in Attempt.objects.all()]
    return [*pages, url("target_preview", target.pk), url("target_change", target.pk), reverse("admin:index")]


@pytest.mark.parametrize("permissions", [(SYNC,), VIEW], ids=["sync", "view"])
def test_without_the_permission_to_view_posts_the_pages_of_the_sync_show_none_of_them(remote, target, permissions):
    pages = pages_of_a_refused_edit(remote, target)
    client = sign_in(*permissions)
    texts = {page: client.get(page).content.decode() for page in pages}
    assert [page for page, text in texts.items() if re.search("(old|new) (words|body)", text)] == []
    assert sum("You need the permission news.view_post to view posts." in text for text in texts.values()) >= 7
    assert f"news.Post:{Post.objects.get().pk}" in texts[url("run_failures", Run.objects.latest("pk").pk)]


@pytest.mark.parametrize("permission", ["news.view_post", "news.change_post"])
def test_with_the_permission_to_view_posts_the_pages_of_the_sync_show_them(remote, target, permission):
    pages = pages_of_a_refused_edit(remote, target)
    client = sign_in(*VIEW, permission)
    texts = {page: client.get(page).content.decode() for page in pages}
    assert [page for page, text in texts.items() if "You need the permission news.view_post" in text] == []
    assert sum("new words" in text for text in texts.values()) >= 5


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("binding_changelist", {"agreed__title": "old words"}),
        ("binding_changelist", {"attempts__answer__contains": "w"}),
        ("attempt_changelist", {"request__title": "old words"}),
        ("attempt_changelist", {"run__message__contains": "w"}),
        ("route_changelist", {"bindings__agreed__title": "old words"}),
        ("target_changelist", {"runs__message__contains": "w"}),
    ],
)
def test_what_a_page_hides_can_not_be_guessed_by_a_filter(target, page, query):
    assert sign_in(*VIEW).get(url(page), query).status_code == 400


def test_addresses_and_messages_are_searched_only_by_whoever_may_read_them(target):
    posts(1)
    run = sync(target)
    stranger = sign_in(*VIEW)
    reader = administrator()  # may read everything that travels
    for page, words in (("attempt_changelist", "/posts"), ("run_changelist", run.message)):

        def tells(client, page=page, words=words):
            found = [client.get(url(page), {"q": text}).context["cl"].result_list for text in (words, f"{words}?")]
            return len(found[0]) != len(found[1])

        assert (tells(stranger), tells(reader)) == (False, True), page


# --- switches --------------------------------------------------------------------------------------------------------
def test_pause_switches_off_and_resume_on_and_clears_why_it_was_paused(target):
    client = sign_in(SYNC, *VIEW)
    page = client.post(url("target_pause", target.pk), follow=True).content.decode()
    assert "Fake API is paused" in page
    Target.objects.update(blocked="answered 401")
    client.post(url("target_resume", target.pk))
    target.refresh_from_db()
    assert (target.enabled, target.blocked) == (True, "")
    assert [entry.get_change_message() for entry in LogEntry.objects.all()] == ["Resumed.", "Paused."]


def test_the_switch_sets_every_route_but_those_with_a_rhythm_of_their_own(target):
    target.routes.filter(model="news.Comment").update(trigger="every 5 minutes")
    client = sign_in("syncer.change_route", *VIEW)
    client.post(url("target_trigger", target.pk), {"trigger": "change"})
    triggers = {"news.Post": "change", "news.Comment": "every 5 minutes"}
    assert dict(target.routes.values_list("model", "trigger")) == triggers
    page = client.get(url("target_change", target.pk)).content.decode()
    assert "news.Comment: every 5 minutes." in page


def test_a_target_that_begins_to_follow_changes_catches_up(target):
    client = sign_in("syncer.change_route")
    client.post(url("target_trigger", target.pk), {"trigger": "manual"})
    assert not Run.objects.exists()
    client.post(url("target_trigger", target.pk), {"trigger": "change"})
    assert Run.objects.get().trigger == Run.Trigger.CHANGE


def test_a_switch_knows_two_positions(target):
    assert administrator().post(url("target_trigger", target.pk), {"trigger": "never"}).status_code == 400


def test_a_switch_leads_back_to_its_page_and_nowhere_else(target):
    client = administrator()
    for after, expected in (("/admin/", "/admin/"), ("https://example.com/", url("target_change", target.pk))):
        answer = client.post(url("target_trigger", target.pk), {"trigger": "manual", "next": after})
        assert answer["Location"] == expected


# --- preview ---------------------------------------------------------------------------------------------------------
def test_the_preview_shows_what_would_be_sent_and_sends_nothing(remote, target):
    post = Post.objects.create(title="Old", body="B")
    sync(target)
    Post.objects.filter(pk=post.pk).update(title="New")
    remote.clear_journal()
    before = list(Route.objects.values())
    page = sign_in(*VIEW, "news.view_post").get(url("target_preview", target.pk)).content.decode()
    assert "A sync would send 1 change<" in page
    assert "<del>Old</del> <ins>New</ins>" in page
    assert remote.journal == []
    assert list(Route.objects.values()) == before


def test_the_preview_shows_the_first_two_hundred_and_says_how_many_more(target):
    posts(203)
    page = sign_in(*VIEW).get(url("target_preview", target.pk)).content.decode()
    assert page.count("sync-planned") == 200
    assert "A sync would send 203 changes" in page
    assert "And 3 more." in page


def test_the_preview_needs_a_permission(target):
    assert sign_in("news.view_post").get(url("target_preview", target.pk)).status_code == 403


# --- targets and routes ----------------------------------------------------------------------------------------------
def test_the_form_says_whether_a_secret_is_there_and_never_the_secret(target, monkeypatch):
    Target.objects.update(auth="bearer", auth_secret="env:SYNC_FAKE_API_TOKEN")
    client = administrator()
    monkeypatch.delenv("SYNC_FAKE_API_TOKEN", raising=False)
    page = client.get(url("target_change", target.pk)).content.decode()
    assert "not there" in page
    assert "Set the environment variable SYNC_FAKE_API_TOKEN" in page
    monkeypatch.setenv("SYNC_FAKE_API_TOKEN", "the-secret-itself")
    page = client.get(url("target_change", target.pk)).content.decode()
    assert "resolves" in page
    assert "the-secret-itself" not in page


def test_a_secret_in_place_of_a_reference_is_refused(target):
    client = administrator()
    form = form_of(client.get(url("target_change", target.pk)), "target_form")
    answer = client.post(url("target_change", target.pk), form | {"auth": "bearer", "auth_secret": "s3cr3t"})
    assert "Give where the secret is, not the secret" in answer.content.decode()
    assert Target.objects.get().auth_secret == ""


def test_a_target_is_added_and_changed_on_its_form(db):
    client = administrator()
    form = form_of(client.get(url("target_add")), "target_form")
    answer = client.post(url("target_add"), form | {"name": "new", "url": "https://api.example.com"})
    assert answer.status_code == 302
    assert Target.objects.get().url == "https://api.example.com"


def test_a_route_offers_only_models_that_may_travel(target):
    page = administrator().get(url("route_add"))
    choices = [value for value, _ in page.context["adminform"].form.fields["model"].choices]
    assert choices == ["", *sorted(declarations())]


def test_a_route_is_changed_on_its_form_and_emptied_columns_are_empty(target):
    route = target.routes.get(model="news.Post")
    client = administrator()
    form = form_of(client.get(url("route_change", route.pk)), "route_form")
    assert form["fields-0-0"] in route.fields
    changed = with_rows(form, fields=[("title", "title")], lookup=[], filter=[]) | {"key_hours": "24"}
    assert client.post(url("route_change", route.pk), changed | {"missing": "reject"}).status_code == 302
    route.refresh_from_db()
    assert (route.fields, route.lookup, route.filter) == ({"title": "title"}, [], {})
    assert (route.key_hours, route.missing) == (24, "reject")


def test_a_route_that_is_added_without_a_lookup_takes_the_natural_key_of_its_model(target):
    Route.objects.all().delete()
    client = administrator()
    form = form_of(client.get(f"{url('route_add')}?target={target.pk}"), "route_form")
    given = {"target": target.pk, "model": "news.Post", "path": "/posts"}
    form = with_rows(form, fields=[("by", "user_id"), ("title", "title")], lookup=[])
    assert client.post(url("route_add"), form | given).status_code == 302
    assert Route.objects.get().lookup == ["by", "title"]


@pytest.mark.parametrize(
    ("column", "row", "message"),
    [
        ("fields", ("id", "id"), "Row 1: news.Post has no field"),
        ("fields", ("", ""), "Give what is sent, remote names and local fields"),
        ("fields", ("a\0", "title"), "Row 1: It holds a NUL"),
        ("lookup", ("b\0",), "Row 1: It holds a NUL"),
        ("lookup", ("nothing",), "Row 1: &#x27;nothing&#x27; is not among the remote names"),
        ("filter", ("title", r'"\u0000"'), "Row 1: It holds a NUL"),
        ("filter", ("title", r'"\udfff"'), "Row 1: It holds a NUL"),
        ("filter", ("user_id__gt", "1e999"), "Row 1: It holds a NUL"),
        ("filter", ("title", "[" * 300 + "]" * 300), "Row 1: It holds a NUL"),
        ("filter", ("user_id__gt", "NaN"), "Row 1: &#x27;user_id__gt&#x27; does not filter"),
        ("filter", ("user_id__gt", "[" * 5000), "does not filter"),
        ("filter", ("user_id__gt", "9" * 5000), "does not filter"),
        ("filter", ("user_id__range", "[1]"), "does not filter"),
        ("filter", ("nothing", "1"), "does not filter"),
    ],
)
def test_a_route_that_can_not_be_carried_is_refused_on_its_form(target, column, row, message):
    route = target.routes.get(model="news.Post")
    client = administrator()
    form = form_of(client.get(url("route_change", route.pk)), "route_form")
    form = with_rows(form, **{column: [row]})
    assert message in client.post(url("route_change", route.pk), form).content.decode()


def test_comparing_everything_again_plans_every_object_also_those_deleted_meanwhile(remote, target):
    made = posts(3)
    sync(target)
    route = target.routes.get(model="news.Post")
    page = sign_in("syncer.change_route", *VIEW).post(url("route_recompare", route.pk), follow=True).content.decode()
    assert "compares every news.Post with Fake API" in page
    route.refresh_from_db()
    assert (route.mark, route.fingerprint) == ("", "")
    Post.objects.filter(pk=made[0].pk).delete()
    run = sync(target)
    assert (run.total, run.counts["deleted"], run.counts["requests"]) == (3, 1, 1)


# --- bindings --------------------------------------------------------------------------------------------------------
def test_every_state_is_found_by_the_word_that_the_list_shows(remote, target):
    made = posts(12)
    sync(target)
    soon, past = timezone.now() + timedelta(hours=1), timezone.now() - timedelta(hours=1)
    rows: list[dict[str, Any]] = [
        {},
        {"on_hold": True},
        {"on_hold": True, "in_doubt": True},
        {"in_doubt": True, "unconfirmed": True},
        {"wanted": 5, "delivered": 5, "remote_id": None},
        {"wanted": 6},
        {"wanted": 6, "lease_until": soon},
        {"wanted": 6, "lease_until": soon, "tries": 2},
        {"wanted": 6, "lease_until": past, "tries": 2},
        {"wanted": 6, "rejected": 6},
        {"wanted": 6, "rejected": 6},
        {},
    ]
    for post, row in zip(made, rows, strict=True):
        Binding.objects.filter(object_key=str(post.pk)).update(**row)
    Post.objects.filter(pk__in=[made[10].pk, made[11].pk]).update(title="edited")
    found = states.of_bindings(Binding.objects.select_related("route"))
    assert {state.state for state in found.values()} == {*State} - {State.CONFLICT}  # those are between peers
    for state in State:
        chosen = set(Binding.objects.filter(having(state)).values_list("pk", flat=True))
        assert chosen == {pk for pk, shown in found.items() if shown.state == state}, state


def test_a_list_of_bindings_filters_and_searches(target):
    first, second = posts(2)
    Comment.objects.create(post=first, name="N", email="n@example.com", body="B")
    sync(target)
    Binding.objects.filter(route__model="news.Post", object_key=str(second.pk)).update(on_hold=True)
    client = sign_in(*VIEW)

    def shown(**query):
        page = client.get(url("binding_changelist"), query)
        return sorted(str(row) for row in page.context["cl"].result_list)

    assert len(shown(route__target__id__exact=target.pk)) == 3
    assert shown(model="news.Comment") == [f"news.Comment:{Comment.objects.get().pk}"]
    assert shown(state="on hold") == [f"news.Post:{second.pk}"]
    assert f"news.Post:{second.pk}" in shown(q=str(second.pk))
    assert shown(q="no such key") == []


def test_the_filter_offers_every_state(target):
    page = sign_in(*VIEW).get(url("binding_changelist")).content.decode()
    assert [state for state in State if f">{state}<" not in page] == []


def test_a_list_of_bindings_costs_the_same_for_many(target):
    posts(2)
    sync(target)
    client = administrator()
    client.get(url("binding_changelist"))
    with CaptureQueriesContext(connection) as few:
        client.get(url("binding_changelist"))
    posts(30)
    sync(target)
    with CaptureQueriesContext(connection) as many:
        client.get(url("binding_changelist"))
    assert len(many) == len(few)


def test_a_binding_shows_what_the_target_holds_and_its_attempts(target):
    post = Post.objects.create(title="A title", body="B")
    sync(target)
    page = sign_in(*VIEW, "news.view_post").get(url("binding_change", Binding.objects.get().pk)).content.decode()
    assert "<dt>title</dt><dd>A title</dd>" in page
    assert reverse("admin:news_post_change", args=[post.pk]) in page
    assert "POST http://127.0.0.1" in page


def test_a_binding_of_a_deleted_object_says_so(target):
    post = Post.objects.create(title="A", body="B")
    sync(target)
    post.delete()
    assert "deleted here" in administrator().get(url("binding_changelist")).content.decode()


def test_pages_claim_no_more_of_a_target_than_it_answered(remote, target):
    """Somebody else changes the target after it accepted what we hold."""
    post = Post.objects.create(title="A", body="B")
    sync(target)
    remote.store.load("/posts", [{"id": 1, "userId": 1, "title": "by somebody else", "body": "B"}])
    assert sync(target).message == "Nothing to send: everything was accepted by the target."
    preview = administrator().get(url("target_preview", target.pk)).content.decode()
    assert "Nothing to send: everything was accepted by the target." in preview
    page = administrator().get(url("target_change", target.pk)).content.decode()
    answered = timezone.localtime(Binding.objects.get(object_key=str(post.pk)).settled_at)
    assert f">{answered:%Y-%m-%d %H:%M:%S}</time>. What others changed there since is not known." in page


def test_a_preview_beside_a_rejected_object_does_not_claim_that_all_was_accepted(remote, target):
    remote.fault(Fault.STATUS, method="POST", path="/posts", status=422)
    Post.objects.create(title="A", body="B")
    sync(target)
    page = administrator().get(url("target_preview", target.pk)).content.decode()
    assert "Nothing to send. Not delivered: 1 rejected." in page


def test_try_again_sends_a_rejected_object_again(remote, target):
    remote.fault(Fault.STATUS, method="POST", path="/posts", status=422)
    rejected = Post.objects.create(title="A", body="B")
    sync(target)
    Post.objects.create(title="not chosen", body="B")
    binding = Binding.objects.get()
    data = {"action": "try_again", "_selected_action": [binding.pk]}
    answer = sign_in(SYNC, *VIEW).post(url("binding_changelist"), data)
    run = Run.objects.latest("pk")
    assert answer["Location"] == url("run_change", run.pk)
    assert run.scope == {"news.Post": [str(rejected.pk)]}
    work(run)
    assert [record["title"] for record in remote.records("/posts").values()] == ["A"]


def test_try_again_needs_its_permission(target):
    Post.objects.create(title="A", body="B")
    sync(target)
    data = {"action": "try_again", "_selected_action": [Binding.objects.get().pk]}
    client = sign_in(*VIEW)
    client.post(url("binding_changelist"), data)
    assert Run.objects.count() == 1
    assert 'value="try_again"' not in client.get(url("binding_changelist")).content.decode()


# --- read-only -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("model", ["binding", "run", "attempt"])
def test_what_the_engine_writes_nobody_edits(target, model):
    Post.objects.create(title="A", body="B")
    sync(target)
    client = administrator()
    pk = apps.get_model("syncer", model)._default_manager.get().pk
    assert client.get(url(f"{model}_changelist")).status_code == 200
    assert client.get(url(f"{model}_change", pk)).status_code == 200
    assert client.get(url(f"{model}_add")).status_code == 403
    assert client.post(url(f"{model}_delete", pk), {"post": "yes"}).status_code == 403


def test_runs_and_attempts_come_newest_first(target):
    posts(2)
    first, second = sync(target), sync(target)
    client = administrator()
    assert list(client.get(url("run_changelist")).context["cl"].result_list) == [second, first]
    attempts = list(client.get(url("attempt_changelist")).context["cl"].result_list)
    assert [attempt.pk for attempt in attempts] == sorted((attempt.pk for attempt in attempts), reverse=True)
    page = client.get(url("attempt_changelist"), {"run__id__exact": second.pk})
    assert list(page.context["cl"].result_list) == []


@pytest.mark.parametrize("page", ["target", "route", "binding", "run", "attempt"])
def test_each_list_needs_a_permission(target, page):
    assert sign_in("news.view_post").get(url(f"{page}_changelist")).status_code == 403
