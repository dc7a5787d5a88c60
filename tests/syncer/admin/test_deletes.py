"""The page of the deletes that wait for a person, and where else they are shown."""

import pytest
from django.core.management import call_command
from django.urls import reverse

from content.news.models import Post
from syncer.models import Alert, Binding, Run
from syncer.recovery.deletes import review
from syncer.reports import states
from tests.content.pages import administrator, sign_in
from tests.syncer.conftest import sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.law]

VIEW = ("syncer.view_target", "syncer.view_binding")
SYNC = "syncer.sync_target"


def url(page, target):
    return reverse(f"admin:syncer_target_{page}", args=[target.pk])


@pytest.fixture
def waiting(waiting, remote):
    remote.clear_journal()
    return waiting


def text_of(answer):
    return " ".join(answer.content.decode().split())


def test_the_page_lists_what_would_be_deleted_by_its_last_title(waiting):
    text = text_of(administrator().get(url("deletes", waiting)))
    assert "5 deletes wait for a person" in text
    assert "5 of news.Post, more than the 2 that the route allows in one run." in text
    assert all(f"Post {n}</span>" in text for n in range(1, 6))


def test_without_deletes_the_page_says_so(target):
    assert "No delete waits for a person" in text_of(administrator().get(url("deletes", target)))


def test_who_may_not_read_the_content_sees_no_title(waiting):
    text = text_of(sign_in(SYNC).get(url("deletes", waiting)))
    assert "5 deletes wait for a person" in text
    assert "Post 1</span>" not in text


def test_allow_sends_exactly_what_was_shown(waiting, remote):
    answer = sign_in(SYNC).post(url("deletes_allow", waiting), {"digest": review(waiting).digest})
    run = Run.objects.latest("pk")
    assert answer["Location"] == reverse("admin:syncer_run_change", args=[run.pk])
    assert sync(waiting).message == "5 deleted."


def test_a_changed_plan_is_shown_again(waiting, remote):
    digest = review(waiting).digest
    Post.objects.filter(user_id=6).delete()
    sync(waiting)
    for page in ("deletes_allow", "deletes_undo"):
        answer = administrator().post(url(page, waiting), {"digest": digest}, follow=True)
        assert "has changed since you looked" in text_of(answer)
        assert "6 deletes wait for a person" in text_of(answer)
    assert not Binding.objects.filter(delete_allowed=True).exists()


def test_undo_restores_the_objects(waiting, remote):
    administrator().post(url("deletes_undo", waiting), {"digest": review(waiting).digest})
    assert Post.objects.count() == 10
    assert sync(waiting).state == Run.State.DONE
    assert remote.writes() == []


@pytest.mark.parametrize("page", ["deletes_allow", "deletes_undo"])
def test_only_who_may_sync_decides(waiting, page):
    client = sign_in(*VIEW)
    assert client.get(url("deletes", waiting)).status_code == 200
    assert client.post(url(page, waiting), {"digest": review(waiting).digest}).status_code == 403
    assert administrator().get(url(page, waiting)).status_code == 405
    assert Post.objects.count() == 5
    assert not Binding.objects.filter(delete_allowed=True).exists()


def test_who_may_see_no_target_sees_no_deletes(waiting):
    assert sign_in("news.view_post").get(url("deletes", waiting)).status_code == 403


def test_the_cards_of_the_target_and_the_index_lead_to_the_page(waiting):
    for page in (reverse("admin:index"), reverse("admin:syncer_target_change", args=[waiting.pk])):
        text = text_of(administrator().get(page))
        assert "5 deletes wait for a person:" in text
        assert url("deletes", waiting) in text


def test_each_object_says_why_it_is_pending(waiting):
    binding = Binding.objects.get(pk=review(waiting).deletes[0].pk)
    state = states.of_bindings([binding])[binding.pk]
    assert (state.state, state.why) == ("pending", "its delete is one of many that wait for a person")
    assert state.url == url("deletes", waiting)


def test_the_status_command_says_what_waits(waiting, capsys):
    with pytest.raises(SystemExit):
        call_command("sync_status")
    assert "fakeapi: 5 deletes wait for a person: 5 of news.Post, more than the 2" in capsys.readouterr().out


def test_the_preview_says_which_deletes_would_wait_before_any_sync(target, remote, capsys):
    Post.objects.bulk_create(Post(title=f"Post {n}", body="B", user_id=n) for n in range(30))
    sync(target)
    Post.objects.filter(user_id__lt=25).delete()
    says = "deletes wait until a person has allowed them: 25 of news.Post, more than 20 and more than 10 % of the 30"
    assert says in text_of(administrator().get(url("preview", target)))
    with pytest.raises(SystemExit):
        call_command("sync_now", "fakeapi", "--preview")
    assert says in capsys.readouterr().out


def test_pages_link_to_the_review_and_leave_its_address_out_of_sentences(waiting):
    alert, run = Alert.objects.get(), Run.objects.latest("pk")
    for path in (
        reverse("admin:index"),
        reverse("admin:syncer_alert_changelist"),
        reverse("admin:syncer_alert_change", args=[alert.pk]),
        reverse("admin:syncer_run_change", args=[run.pk]),
        url("preview", waiting),
    ):
        text = text_of(administrator().get(path))
        assert f'href="{url("deletes", waiting)}"' in text, path
        assert "Review them at" not in text, path


def test_the_preview_names_each_object_as_its_own_pages_do(waiting):
    post = Post.objects.create(title="Spring sale", body="B")
    text = text_of(administrator().get(url("preview", waiting)))
    assert f'href="{reverse("admin:news_post_change", args=[post.pk])}">Post {post.pk}</a>' in text
    assert "Spring sale" in text
    assert "news.Post:" not in text
