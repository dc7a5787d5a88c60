"""The admin's index: each target with what waits for it and its buttons."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from content.base.changes import recent
from content.news.models import Post
from content.palettes.models import Palette, Team
from syncer import public
from syncer.models import Attempt, Target
from tests.content.pages import administrator, form_of, sign_in
from tests.remote import Fault, Remote
from tests.syncer.conftest import sync
from tests.syncer.conftest import target as target_fixture
from tests.syncer.support import let_time_pass

pytestmark = pytest.mark.django_db(transaction=True)
target = target_fixture

VIEW = ("syncer.view_target", "syncer.view_run", "syncer.view_binding")
SYNC_FORM = "/sync/"


def index(client: Client) -> str:
    return client.get(reverse("admin:index")).content.decode()


def test_the_root_leads_to_the_admin():
    answer = administrator().get("/")
    assert (answer.status_code, answer["Location"]) == (302, reverse("admin:index"))


def test_without_a_target_one_sentence_says_how_to_make_one():
    page = index(administrator())
    assert "Nothing is synced yet" in page
    assert reverse("admin:syncer_target_add") in page


def test_the_index_shows_what_is_pending_before_anything_was_planned(target):
    Post.objects.create(title="A", body="B")
    Post.objects.create(title="C", body="D")
    page = index(administrator())
    assert "Fake API" in page
    assert "REST service" in page
    assert "<b>2</b> pending" in page
    assert reverse("admin:syncer_target_preview", args=[target.pk]) in page
    assert "No run yet." in page


def test_the_index_shows_the_last_run_in_its_sentence(target):
    Post.objects.create(title="A", body="B")
    run = sync(target)
    page = index(administrator())
    assert "1 created." in page
    assert reverse("admin:syncer_run_change", args=[run.pk]) in page
    assert "<b>0</b> pending" in page
    assert "<b>1</b> there" in page


def test_rejected_objects_are_counted_and_linked(remote: Remote, target: Target):
    remote.fault(Fault.STATUS, method="POST", path="/posts", status=422)
    Post.objects.create(title="A", body="B")
    sync(target)
    client = administrator()
    page = index(client)
    assert "<b>1</b> rejected" in page
    link = f"{reverse('admin:syncer_binding_changelist')}?route__target__id__exact={target.pk}&state=rejected"
    assert link.replace("&", "&amp;") in page
    assert len(client.get(link).context["cl"].result_list) == 1


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"blocked": "answered 401 Unauthorized"}, "answered 401 Unauthorized"),
        ({"enabled": False}, "nothing is sent, changes are kept"),
        ({"not_before": timezone.now() + timedelta(hours=1)}, "The target asked us to wait until"),
    ],
)
def test_a_target_that_sends_nothing_says_why(target, changes, text):
    Target.objects.update(**changes)
    assert text in index(sign_in(*VIEW))


def test_a_mark_of_another_database_is_reported_and_breaks_no_page(target):
    Post.objects.create(title="A", body="B")
    sync(target)
    target.routes.filter(model="news.Post").update(mark="elsewhere/1:2:")
    client = administrator()
    assert "sync_recover" in index(client)
    for page in ("admin:syncer_target_changelist", "admin:news_post_changelist", "admin:syncer_binding_changelist"):
        assert client.get(reverse(page)).status_code == 200
    for page in ("change", "preview"):
        assert client.get(reverse(f"admin:syncer_target_{page}", args=[target.pk])).status_code == 200


def test_a_person_who_may_only_look_sees_no_button(target):
    page = index(sign_in(*VIEW))
    assert "Fake API" in page
    assert SYNC_FORM not in page
    assert page.count("disabled>") == 2


def test_a_person_without_a_permission_sees_no_target(target):
    page = index(sign_in("news.view_post"))
    assert "Fake API" not in page
    assert "Nothing is synced yet" not in page


def test_the_button_on_the_index_starts_a_run(target):
    client = sign_in("syncer.sync_target")
    url = reverse("admin:syncer_target_sync", args=[target.pk])
    assert url in index(client)
    assert client.post(url, follow=True).status_code == 200
    assert "Waiting for a worker" in index(client)


def test_each_word_on_the_index_has_its_meaning(target):
    page = index(administrator())
    for word in ("pending", "retrying", "rejected", "in doubt", "by hand", "at each change"):
        assert f"<dt>{word}</dt><dd>" in page
        assert f"<dt>{word}</dt><dd></dd>" not in page


# --- editors ---------------------------------------------------------------------------------------------------------
def edited(client: Client, post: Post, **fields: str) -> None:
    url = reverse("admin:news_post_change", args=[post.pk])
    form = form_of(client.get(url), "post_form")
    assert client.post(url, form | fields).status_code == 302


def test_an_editor_sees_what_they_edited_last_and_who_changed_what_today():
    post, other = Post.objects.create(title="Mine", body="B"), Post.objects.create(title="Theirs", body="B")
    mine, theirs = (sign_in("news.change_post", "news.view_comment", name=name) for name in ("editor", "importer"))
    edited(mine, post, body="C")
    edited(mine, post, body="D")
    edited(theirs, other, body="C")
    context = mine.get(reverse("admin:index")).context["editors"]
    assert [(edit.title, edit.number, edit.type) for edit in context["mine"]] == [("Mine", 2, "~")]
    assert [(edit.user, edit.title, edit.number) for edit in context["people"]] == [
        ("importer", "Theirs", 1),
        ("editor", "Mine", 2),
        ("", "Theirs", 2),
    ]
    page = index(mine)
    assert reverse("admin:news_post_change", args=[post.pk]) in page
    assert "Fake API" not in page


def test_an_edit_of_this_minute_was_made_just_now():
    client = sign_in("news.view_post")  # one kind of content alone: its statement gives times, that of several texts
    Post.objects.create(title="Mine", body="B")
    assert "added, <time" in index(client)
    assert ">just now</time>" in index(client)
    Post.history.update(history_date=F("history_date") - timedelta(hours=2))
    assert ">2\xa0hours ago</time>" in index(client)


def test_an_edit_of_the_day_before_is_not_of_today(monkeypatch):
    Post.objects.create(title="A", body="B")
    monkeypatch.setattr("backoffice.kit.clock.now", lambda: timezone.now() + timedelta(hours=25))
    assert sign_in("news.view_post").get(reverse("admin:index")).context["editors"]["people"] == []


def test_a_number_of_edits_that_was_not_counted_to_the_end_says_so(monkeypatch):
    monkeypatch.setattr(recent, "READ", 2)
    Post.objects.bulk_create([Post(title=f"A {number}", body="B") for number in range(3)])
    (edit,) = sign_in("news.view_post").get(reverse("admin:index")).context["editors"]["people"]
    assert str(edit.number) == "at least 2"


def test_the_edits_of_an_object_that_a_person_may_not_see_are_not_told():
    Palette.objects.create(name="Secret colours", team=Team.objects.create(name="Hidden"))
    reader = sign_in("palettes.view_palette")
    assert reader.get(reverse("admin:palettes_palette_changelist")).status_code == 200
    context = reader.get(reverse("admin:index")).context["editors"]
    assert (context["mine"], context["people"]) == ([], [])


def test_a_deleted_object_is_named_as_it_was_without_a_link():
    post = Post.objects.create(title="A", body="B")
    key = str(post.pk)
    post.delete()
    (edit,) = sign_in("news.view_post").get(reverse("admin:index")).context["editors"]["people"]
    assert (edit.key, edit.title, edit.url, edit.type) == (key, "A", "", "-")


@pytest.mark.parametrize(("permission", "number"), [("news.change_post", 1), ("news.view_post", 0)])
def test_a_rejected_object_waits_for_whoever_may_change_it(remote, target, permission, number):
    remote.fault(Fault.STATUS, method="POST", path="/posts", status=422)
    post = Post.objects.create(title="A", body="B")
    sync(target)
    waiting = sign_in(permission).get(reverse("admin:index")).context["editors"]["waiting"]
    assert waiting.number == number
    assert [one.url for one in waiting.first] == [reverse("admin:news_post_change", args=[post.pk])] * number


def test_someone_without_any_permission_is_told_whom_to_ask():
    page = index(sign_in())
    assert "This account has no role yet." in page
    assert "You are signed in as editor," in page
    assert "This account has no role yet." not in index(sign_in("news.view_post", name="viewer"))


# --- operators -------------------------------------------------------------------------------------------------------
def test_the_last_day_is_counted_by_hour(remote, target):
    remote.fault(Fault.STATUS, method="POST", path="/posts", status=400, times=1)
    Post.objects.bulk_create([Post(title=f"A {number}", body="B") for number in range(3)])
    sync(target)
    activity = public.last_day(timezone.now())
    assert (activity.delivered, activity.failed, len(activity.hours)) == (3, 1, 24)
    last = activity.hours[-1]
    assert (last.delivered, last.failed) == (3, 1)
    listed = administrator().get(f"{reverse('admin:syncer_attempt_changelist')}?{last.query}").context["cl"]
    assert listed.result_count == target.runs.get().attempts.count()
    Attempt.objects.update(at=F("at") - timedelta(hours=25))
    assert (public.last_day(timezone.now()).delivered, public.last_day(timezone.now()).failed) == (0, 0)


def test_the_chart_is_data_in_an_attribute_and_no_script(target):
    sync(target)
    page = index(administrator())
    assert "data-type=&quot;bar&quot;" in page or 'data-type="bar"' in page
    assert "&quot;datasets&quot;" in page


def test_requests_of_an_hour_that_were_not_counted_to_the_end_say_so(target, monkeypatch):
    monkeypatch.setattr("syncer.reports.activity.MOST", 2)
    Post.objects.bulk_create([Post(title=f"A {number}", body="B") for number in range(4)])
    sync(target)
    assert str(public.last_day(timezone.now()).delivered) == "at least 2"


def oldest() -> tuple[str, str] | None:
    (overview,) = public.home().overviews
    return (overview.oldest.route.model, overview.oldest.key) if overview.oldest else None


def test_the_oldest_unsent_change_is_named_with_its_age(remote, target):
    sync(target)
    first = Post.objects.create(title="First", body="B")
    Post.objects.create(title="Second", body="B")
    assert oldest() == ("news.Post", str(first.pk))
    page = index(administrator())
    assert "Oldest unsent change" in page
    remote.fault(Fault.STATUS, method="POST", path="/posts", status=500, times=2)
    sync(target)
    assert oldest() == ("news.Post", str(first.pk))
    remote.heal()
    let_time_pass()
    sync(target)
    assert oldest() is None
    assert "Oldest unsent change" not in index(administrator())


def test_the_part_that_changes_by_itself_needs_the_permission_of_the_page(target):
    url = reverse("admin:syncer_target_home")
    assert sign_in("news.view_post").get(url).status_code == 403
    page = sign_in("syncer.view_target", name="operator").get(url).content.decode()
    assert 'id="home"' in page
    assert "Fake API" in page
