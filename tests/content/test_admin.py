import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import CharField, TextField
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from unfold.admin import ModelAdmin

from backoffice.accounts.models import User
from backoffice.kit.jobs.service import start
from backoffice.kit.urls import admin_url
from content.news.models import LOCAL_USER_ID, Comment, Post
from tests.content.api_client import ApiClient, make_user
from tests.content.locks import asked_meanwhile
from tests.content.pages import administrator, form_of, sign_in

pytestmark = [pytest.mark.law, pytest.mark.django_db]

EDIT = ("news.view_post", "news.change_post", "news.add_post", "news.view_comment", "news.change_comment")


def post_url(post: Post, page: str = "change", *more: object) -> str:
    return reverse(f"admin:news_post_{page}", args=[post.pk, *more])


@pytest.fixture
def post():
    return Post.objects.create(title="Title", body="Body")


def save(client, address: str, **changes: str):
    """Send the form of a page with these changes."""
    return client.post(address, form_of(client.get(address), "post_form") | changes)


def comments(post: Post, number: int) -> list[Comment]:
    made = [Comment(post=post, name=f"N{i}", email=f"reader{i}@example.com", body="B") for i in range(number)]
    return Comment.objects.bulk_create(made)


# --- the theme and the lists -----------------------------------------------------------------------------------------
def test_every_registered_model_wears_the_theme():
    assert administrator().get(reverse("admin:index")).status_code == 200
    assert [model for model, page in admin.site._registry.items() if not isinstance(page, ModelAdmin)] == []


@pytest.mark.parametrize("page", ["accounts_user", "auth_group", "django_q_failure", "news_post", "news_comment"])
def test_every_list_opens_and_searches(page):
    comments(Post.objects.create(title="Title", body="Body"), 2)
    answer = administrator().get(reverse(f"admin:{page}_changelist"), {"q": "Title"})
    assert answer.status_code == 200


def test_the_pages_of_a_person_open():
    client = administrator()
    person = [client.session["_auth_user_id"]]
    assert client.get(reverse("admin:accounts_user_add")).status_code == 200
    for page in ("accounts_user_change", "auth_user_password_change"):
        assert client.get(reverse(f"admin:{page}", args=person)).status_code == 200, page


def test_a_person_is_added_with_a_password():
    client = administrator()
    password = "a long enough phrase"
    data = {"username": "service", "usable_password": "true", "password1": password, "password2": password}
    assert client.post(reverse("admin:accounts_user_add"), data).status_code == 302
    assert User.objects.get(username="service").check_password(password)


def test_a_list_counts_its_rows_once():
    client = administrator()
    with CaptureQueriesContext(connection) as queries:
        client.get(reverse("admin:news_post_changelist"), {"q": "Title"})
    assert len([query for query in queries if "COUNT(" in query["sql"]]) == 1


def test_only_a_list_that_leaves_something_out_offers_to_show_all(post):
    client, page = administrator(), admin_url(Post, "changelist")
    assert "Show all" not in client.get(page).content.decode()
    assert "Show all" in client.get(page, {"q": "title"}).content.decode()
    assert "Show all" in client.get(page, {"changed": "today"}).content.decode()


def test_comments_can_be_listed_by_post(post):
    other = Post.objects.create(title="Other", body="Body")
    comments(post, 3)
    comments(other, 4)
    answer = administrator().get(reverse("admin:news_comment_changelist"), {"post__id__exact": post.pk})
    assert answer.context["cl"].result_count == 3


# --- the form --------------------------------------------------------------------------------------------------------
def test_saving_an_untouched_form_writes_nothing(post):
    comments(post, 3)
    assert save(administrator(), post_url(post)).status_code == 302
    assert (Post.history.count(), Comment.history.count()) == (1, 3)


@pytest.mark.parametrize("body", ["one\ntwo", "one\r\ntwo", "\nfirst line empty", "  indented", "end \n"])
def test_a_text_does_not_change_when_its_form_is_opened(body):
    post = Post.objects.create(title=" Title\nof two lines ", body=body)
    assert save(administrator(), post_url(post), user_id="7").status_code == 302
    stored = Post.objects.get()
    assert (stored.user_id, stored.title, stored.body) == (7, " Title\nof two lines ", body)


def test_line_breaks_do_not_count_twice_against_the_length(post):
    assert save(administrator(), post_url(post), body="x\r\n" * 511 + "xx").status_code == 302
    assert Post.objects.get().body == "x\n" * 511 + "xx"


def test_a_form_leaves_alone_what_somebody_else_changed_meanwhile(post):
    client = administrator()
    form = form_of(client.get(post_url(post)), "post_form")
    Post.objects.filter(pk=post.pk).update(body="theirs")
    assert client.post(post_url(post), form | {"title": "mine"}).status_code == 302
    stored = Post.objects.get()
    assert (stored.title, stored.body) == ("mine", "theirs")


def test_a_field_that_both_changed_is_shown_before_it_is_replaced(post):
    client = administrator()
    form = form_of(client.get(post_url(post)), "post_form") | {"title": "mine"}
    Post.objects.filter(pk=post.pk).update(title="theirs")
    answer = client.post(post_url(post), form)
    assert "Somebody changed this while the form was open. It is now: “theirs”." in answer.content.decode()
    assert Post.objects.get().title == "theirs"
    assert client.post(post_url(post), form_of(answer, "post_form")).status_code == 302
    assert Post.objects.get().title == "mine"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_form_waits_for_another_writer_and_then_shows_what_they_wrote(post):
    client = administrator()
    form = form_of(client.get(post_url(post)), "post_form") | {"title": "mine"}
    theirs = Post.objects.filter(pk=post.pk)
    answer = asked_meanwhile(lambda: client.post(post_url(post), form), lambda: theirs.update(title="theirs"))
    assert "It is now: “theirs”." in answer.content.decode()
    assert Post.objects.get().title == "theirs"


def test_a_change_is_recorded_with_the_person(post):
    assert save(sign_in(*EDIT), post_url(post), title="New").status_code == 302
    assert [(row.history_type, str(row.history_user)) for row in Post.history.all()] == [("~", "editor"), ("+", "None")]


def test_a_blank_text_is_refused(post):
    assert save(administrator(), post_url(post), title="   ").status_code == 200
    assert Post.objects.get().title == "Title"


@pytest.mark.parametrize(("permissions", "written"), [((), LOCAL_USER_ID), (("news.set_user_id",), 5)])
def test_the_user_id_needs_its_own_permission(post, permissions, written):
    assert save(sign_in(*EDIT, *permissions), post_url(post), user_id="5").status_code == 302
    assert Post.objects.get().user_id == written


def test_a_new_post_gets_the_local_user_id():
    assert save(sign_in(*EDIT), reverse("admin:news_post_add"), title="T", body="B").status_code == 302
    assert Post.objects.get().user_id == LOCAL_USER_ID


def test_the_choice_of_a_post_does_not_load_all_posts(post):
    comment = comments(post, 1)[0]
    Post.objects.bulk_create([Post(title=f"Another {i}", body="B") for i in range(30)])
    page = administrator().get(reverse("admin:news_comment_change", args=[comment.pk])).content.decode()
    assert "Another" not in page


# --- comments on a post ----------------------------------------------------------------------------------------------
def test_many_comments_make_one_page_of_forms_newest_first(post):
    made = comments(post, 120)
    form = form_of(administrator().get(post_url(post)), "post_form")
    shown = [value for name, value in form.items() if name.startswith("comments-") and name.endswith("-id")]
    assert [key for key in shown if key] == [str(comment.pk) for comment in reversed(made[100:])]


def test_a_post_links_to_the_list_of_its_comments(post):
    comments(post, 1)
    page = administrator().get(post_url(post)).content.decode()
    assert f"{reverse('admin:news_comment_changelist')}?post__id__exact={post.pk}" in page


@pytest.mark.parametrize("page", [1, 2, 3])
def test_a_comment_is_edited_on_any_page(post, page):
    comments(post, 45)
    first = Comment.objects.order_by("-pk")[20 * (page - 1)]
    url = f"{post_url(post)}?comments-page={page}"
    assert save(administrator(), url, **{"comments-0-name": "edited"}).status_code == 302
    assert Comment.objects.get(name="edited") == first
    assert Comment.history.filter(history_type="~").count() == 1


def test_a_row_that_moved_to_another_page_meanwhile_is_still_saved(post):
    comments(post, 25)
    client = administrator()
    form = form_of(client.get(post_url(post)), "post_form") | {"comments-19-name": "edited"}
    comments(post, 3)
    assert client.post(post_url(post), form).status_code == 302
    assert Comment.objects.filter(name="edited", pk=form["comments-19-id"]).exists()


def test_a_comment_keeps_what_somebody_else_changed_meanwhile(post):
    comment = comments(post, 1)[0]
    client = administrator()
    form = form_of(client.get(post_url(post)), "post_form") | {"comments-0-name": "mine"}
    Comment.objects.filter(pk=comment.pk).update(body="theirs")
    assert client.post(post_url(post), form).status_code == 302
    stored = Comment.objects.get()
    assert (stored.name, stored.body) == ("mine", "theirs")


def test_comments_are_added_changed_and_deleted_in_one_save(post):
    comments(post, 45)
    client, url = administrator(), f"{post_url(post)}?comments-page=2"
    form = form_of(client.get(url), "post_form")
    new = {"name": "added", "email": "reader@example.org", "body": "B"}
    form |= {f"comments-20-{name}": value for name, value in new.items()}
    form |= {"comments-TOTAL_FORMS": "21", "comments-0-DELETE": "on", "comments-1-name": "edited"}
    assert client.post(url, form).status_code == 302
    assert Comment.objects.count() == 45
    assert not Comment.objects.filter(pk=form["comments-0-id"]).exists()
    changes = Comment.history.exclude(history_change_reason="x").order_by("history_id")[45:]
    assert sorted(row.history_type for row in changes) == ["+", "-", "~"]
    assert {str(row.history_user) for row in changes} == {"administrator"}


def test_a_comment_that_was_deleted_meanwhile_is_an_error_and_nothing_is_saved(post):
    made = comments(post, 2)
    client = administrator()
    form = form_of(client.get(post_url(post)), "post_form") | {"comments-0-name": "edited", "title": "edited"}
    Comment.objects.filter(pk=made[1].pk).delete()
    answer = client.post(post_url(post), form)
    assert answer.status_code == 200
    assert Post.objects.get().title == "Title"


@pytest.mark.parametrize("page", ["²", "0", "-1", "x", "9" * 5000, "9" * 23])
def test_a_page_of_comments_that_cannot_be_is_the_first(post, page):
    made = comments(post, 25)
    answer = administrator().get(post_url(post), {"comments-page": page})
    assert form_of(answer, "post_form")["comments-0-id"] == str(made[-1].pk)


# --- deleting --------------------------------------------------------------------------------------------------------
def test_the_delete_action_leaves_history_of_posts_and_their_comments(post):
    comments(post, 3)
    client = administrator()
    data = {"action": "delete_selected", "_selected_action": [str(post.pk)], "post": "yes"}
    assert client.post(reverse("admin:news_post_changelist"), data).status_code == 302
    gone = [*Post.history.filter(history_type="-"), *Comment.history.filter(history_type="-")]
    assert [str(row.history_user) for row in gone] == ["administrator"] * 4


def test_deleting_a_post_with_many_comments_does_not_list_them_all(post):
    comments(post, 300)
    page = administrator().get(post_url(post, "delete")).content.decode()
    assert "300" in page
    assert page.count("/comment/") < 150


# --- history ---------------------------------------------------------------------------------------------------------
def test_history_shows_who_when_why_and_what_differs(post):
    client = administrator()
    save(client, post_url(post), title="Title two")
    Post.history.filter(history_type="~").update(history_change_reason="A reason")
    page = client.get(post_url(post, "history")).content.decode()
    for text in ("Title<", "<ins> two</ins>", "by administrator", "A reason"):
        assert text in page


def test_the_last_version_of_a_page_of_history_has_its_differences_too(post):
    for number in range(30):
        Post.objects.filter(pk=post.pk).update(title=f"Number {number}")
    answer = administrator().get(post_url(post, "history"))
    records = list(answer.context["page_obj"])
    assert len(records) == 25
    assert [len(record.differences) for record in records] == [1] * 25


def test_reverting_restores_the_version_as_a_new_change_by_the_person(post):
    Post.objects.filter(pk=post.pk).update(title="Other", body="Other")
    first = Post.history.last()
    client = sign_in(*EDIT)
    url = post_url(post, "simple_history", first.pk)
    page = client.get(url).content.decode()
    assert "Revert to this version" in page
    assert client.post(url).status_code == 302
    stored, row = Post.objects.get(), Post.history.first()
    assert (stored.title, stored.body) == ("Title", "Body")
    assert (Post.history.count(), row.history_type, str(row.history_user)) == (3, "~", "editor")
    assert "Went back to the version of" in row.history_change_reason


def test_a_reader_sees_the_differences_and_may_not_revert(post):
    Post.objects.filter(pk=post.pk).update(title="Other")
    client, url = sign_in("news.view_post"), post_url(post, "simple_history", Post.history.last().pk)
    assert "Revert to this" not in client.get(post_url(post, "history")).content.decode()
    page = client.get(url)
    assert page.status_code == 200
    assert "Revert to this version" not in page.content.decode()
    answer = client.post(url)
    assert answer.status_code == 403
    assert "You need the permission news.change_post to change posts." in answer.content.decode()
    assert Post.objects.get().title == "Other"


def test_a_deleted_post_is_restored_with_its_number(post):
    key = post.pk
    post.delete()
    client = administrator()
    url = reverse("admin:news_post_simple_history", args=[key, Post.history.last().pk])
    assert client.get(url).status_code == 200
    assert client.post(url).status_code == 302
    assert Post.objects.get().pk == key
    assert Post.history.first().history_type == "+"


def test_a_comment_whose_post_is_gone_says_so(post):
    comment = comments(post, 1)[0]
    post.delete()
    client = administrator()
    assert client.get(reverse("admin:news_comment_history", args=[comment.pk])).status_code == 200
    url = reverse("admin:news_comment_simple_history", args=[comment.pk, Comment.history.last().pk])
    assert client.get(url).status_code == 200
    answer = client.post(url, follow=True)
    assert "Restore the post first" in answer.content.decode()
    assert not Comment.objects.exists()


HUGE = ["9" * 23, "9" * 5000]  # beyond 64 bits, and beyond what Python reads as a number


@pytest.mark.parametrize(
    "path",
    ["x/history/", "1/history/x/", "x/history/1/", "77/history/1/"]
    + [f"1/history/{number}/" for number in HUGE]
    + [f"{number}/history/1/" for number in HUGE],
)
def test_a_history_that_does_not_exist_is_not_found(path):
    assert administrator().get(f"/admin/news/post/{path}").status_code == 404


# --- addresses that nobody would write -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("post__id__exact", value) for value in (*HUGE, "abc")],
        *[("q", "\0"), ("p", HUGE[0])],
    ],
)
def test_a_list_asked_for_what_cannot_be_shows_a_page(post, name, value):
    comments(post, 1)
    answer = administrator().get(reverse("admin:news_comment_changelist"), {name: value}, follow=True)
    assert answer.status_code == 200


@pytest.mark.parametrize("lookup", ["id__in", "name__exact", "body__regex", "post", "nothing"])
def test_a_list_takes_only_the_filters_that_it_offers_from_its_address(post, lookup):
    comments(post, 1)
    answer = administrator().get(reverse("admin:news_comment_changelist"), {lookup: r"(a+)+\1"})
    assert answer.status_code == 400
    assert f"This list has no filter “{lookup}”." in answer.content.decode()


def test_no_list_takes_a_regular_expression_from_its_address():
    client = administrator()
    for model in admin.site._registry:
        page = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        names = [field.name for field in model._meta.concrete_fields if isinstance(field, CharField | TextField)]
        links = [f"{field.name}__id" for field in model._meta.concrete_fields if field.is_relation]
        for name in names + links:
            assert client.get(page, {f"{name}__regex": r"(a+)+\1"}).status_code == 400, f"{page}?{name}__regex"


@pytest.mark.parametrize("key", ["abc", "", *HUGE])
@pytest.mark.parametrize("action", ["delete_selected", "sync_now"])
def test_an_action_on_an_invalid_key_is_a_bad_request(post, action, key):
    data = {"action": action, "_selected_action": [str(post.pk), key]}
    assert administrator().post(reverse("admin:news_post_changelist"), data).status_code == 400


@pytest.mark.parametrize("key", ["abc", *HUGE])
def test_a_new_comment_on_an_invalid_key_begins_without_a_post(key):
    assert administrator().get(reverse("admin:news_comment_add"), {"post": key}).status_code == 200


def test_the_choice_of_a_post_takes_any_text(post):
    query = {"app_label": "news", "model_name": "comment", "field_name": "post", "term": "Ti\0tle"}
    answer = administrator().get(reverse("admin:autocomplete"), query)
    assert [result["text"] for result in answer.json()["results"]] == ["Title"]


def test_the_history_names_whoever_wrote_after_the_account_is_deleted():
    """At each entry point: a page, the API, a job. What a program wrote has nobody's name."""
    editor = make_user("the.editor", is_staff=True)
    client = Client()
    client.force_login(editor)
    form = form_of(client.get("/admin/news/post/add/"), "post_form")
    client.post("/admin/news/post/add/", {**form, "title": "on a page", "body": "B"})
    post = Post.objects.get()
    ApiClient(editor).send("PATCH", f"/api/news/posts/{post.pk}", {"title": "through the API"})
    start(work="tests.content.test_admin.retitle", user=editor, title="Retitle", here=True)
    Post.objects.update(title="nobody's")
    editor.delete()
    page = administrator().get(admin_url(Post, "history", post.pk)).content.decode()
    assert (page.count("by the.editor"), page.count("by the program</span>")) == (3, 1)


def retitle(progress):
    Post.objects.update(title="by a job")
