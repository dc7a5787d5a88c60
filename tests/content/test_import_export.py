import io
import json
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission
from django.db import models
from django.urls import reverse
from django.utils import translation

from backoffice.accounts.models import User
from backoffice.kit import clock, waiting_files
from backoffice.kit.jobs.models import Job
from backoffice.kit.jobs.progress import JobOverError, Progress
from backoffice.kit.jobs.service import start, take, work_here
from backoffice.kit.jobs.sweep import STOPPED
from backoffice.kit.spreadsheets import escape, unescape
from backoffice.kit.urls import admin_url
from content.base import files, resource, transfer
from content.base.files import XLSX
from content.base.imports import service, slices
from content.base.models import ContentQuerySet
from content.base.resource import ColumnWidget
from content.base.tables import MAX_COLUMNS, FileError
from content.base.uploads import Upload
from content.news.models import LOCAL_USER_ID, Comment, Post
from content.news.resources import PostResource
from content.orders.models import Order
from tests.content.awkward.book import FIRST_TEXT, book, rows
from tests.content.files import FORMATS, cells_of, confirm, export, load, preview, rows_of, table, workbook
from tests.content.pages import administrator, sign_in
from tests.flows.wait import until
from tests.flows.worker import Worker

pytestmark = [pytest.mark.law, pytest.mark.django_db]

TRANSFER = ("news.view_post", "news.import_post", "news.export_post")
WRITE = ("news.add_post", "news.change_post")
TEXTS = [
    'say "hi", twice', "two\nlines", "two\r\nlines", "lone\rreturn", "  spaces around  ", "Grüße, 你好 🎉", "=1+1",
    "+1", "-1", "@name", "\ttab", "'quoted'", "'=quoted", "''=twice", "'", "2026", "0012", "1e5", "TRUE", "#N/A",
    "_x0041_", "bell \x07", "<b>&amp;</b>",
]  # fmt: skip


def problems(client, model, data, kind="csv"):
    """The errors of a file, after making sure that nothing was written."""
    before = Post.history.count() + Comment.history.count()
    answer = preview(client, model, data, kind)
    assert Post.history.count() + Comment.history.count() == before
    assert "Traceback" not in answer.content.decode()
    if "record" not in answer.context:
        return " ".join(answer.context["form"].errors["import_file"])
    return answer.context["record"].error or answer.context["report"].problems


# --- round trips -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", FORMATS)
def test_what_was_exported_comes_back_unchanged(kind):
    Post.objects.bulk_create([Post(title=text, body=text, user_id=-5) for text in TEXTS])
    client = administrator()
    answer = preview(client, Post, export(client, Post, kind), kind)
    counts = answer.context["record"].counts
    assert counts == dict.fromkeys(counts, 0) | {"unchanged": len(TEXTS)}
    assert not answer.context["may_confirm"]
    assert Post.history.count() == len(TEXTS)


@pytest.mark.parametrize("kind", FORMATS)
def test_what_was_exported_can_be_added_elsewhere_exactly(kind):
    Post.objects.bulk_create([Post(title=text, body=text, user_id=-5) for text in TEXTS])
    client = administrator()
    data = export(client, Post, kind)
    Post.objects.all().delete()
    without_ids: dict[str, Any] = {
        "csv": lambda: table(*([row[0] if row[0] == "id" else "", *row[1:]] for row in rows_of(data))),
        "xlsx": lambda: workbook(*([row[0] if row[0] == "id" else None, *row[1:]] for row in cells_of(data))),
        "json": lambda: json.dumps([record | {"id": None} for record in json.loads(data)]),
    }
    load(client, Post, without_ids[kind](), kind)
    stored = list(Post.objects.order_by("pk").values_list("title", "body", "user_id"))
    assert stored == [(text, text, -5) for text in TEXTS]


@pytest.mark.parametrize("kind", FORMATS)
def test_an_edited_export_changes_exactly_the_edited_rows(kind):
    posts = Post.objects.bulk_create([Post(title=f"Title {i}", body="Body") for i in range(20)])
    client = administrator()
    data = export(client, Post, kind)
    text = "Title 7"
    edited: dict[str, Any] = {
        "csv": lambda: data.replace(text.encode(), b"Edited"),
        "json": lambda: data.replace(text.encode(), b"Edited"),
        "xlsx": lambda: workbook(*([cell if cell != text else "Edited" for cell in row] for row in cells_of(data))),
    }
    load(client, Post, edited[kind](), kind)
    assert [row.id for row in Post.history.filter(history_type="~")] == [posts[7].pk]
    assert Post.objects.get(pk=posts[7].pk).title == "Edited"


def test_an_export_holds_what_the_list_shows():
    Post.objects.bulk_create([Post(title="winter", body="B"), Post(title="summer", body="B")])
    assert [row[2] for row in rows_of(export(administrator(), Post, query="q=winter"))] == ["title", "winter"]


def test_an_export_longer_than_a_page_is_whole_and_in_order():
    Post.objects.bulk_create([Post(title=f"T{i}", body="B") for i in range(resource.PAGE * 2 + 1)])
    ids = [int(row[0]) for row in rows_of(export(administrator(), Post))[1:]]
    assert ids == sorted(ids)
    assert len(ids) == resource.PAGE * 2 + 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (models.DateTimeField(), datetime(2026, 11, 20, 9, 30, 0, 123456, tzinfo=UTC)),
        (models.DateField(), date(2026, 11, 20)),
        (models.UUIDField(), UUID("00000000-0000-4000-8000-000000000001")),
        (models.JSONField(), {"ä": [1, None, "x"]}),
        (models.JSONField(), ["a"]),
    ],
)
def test_a_cell_of_each_kind_comes_back_through_a_workbook(field, value):
    widget, out = ColumnWidget(field), io.BytesIO()
    XLSX().write(out, ["cell"], [[widget.render(value)]])
    assert widget.clean(next(iter(XLSX().create_dataset(out.getvalue())))[1][0]) == value


# --- CSV for Excel ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("language", "title", "separator"), [("en", "", ","), ("de", ", with semicolons", ";")])
def test_the_form_offers_first_what_excel_opens_with_a_double_click(language, title, separator):
    Post.objects.create(title="Grüße", body="B")
    with translation.override(language):
        form = transfer.ContentExportForm(list(files.FORMATS.values()), [PostResource])
    kind = form.fields["format"].initial
    assert list(files.FORMATS.values())[int(kind)].title == f"CSV for Excel{title}"
    client = administrator()
    columns = {"postresource_title": "on", "postresource_body": "on"}
    answer: Any = client.post(admin_url(Post, "export"), {"format": kind, "resource": "", **columns})
    data = answer.getvalue()
    assert data == f"\ufefftitle{separator}body\r\nGrüße{separator}B\r\n".encode()
    load(client, Post, data)


def test_the_export_says_what_its_column_version_is_for():
    page = administrator().get(admin_url(Post, "export")).content.decode()
    assert "Lets an import of this file notice what somebody has changed since." in page
    assert "This exporter" not in page


def test_the_columns_to_export_are_called_as_on_the_pages():
    with translation.override("de"):
        form = transfer.ContentExportForm(list(files.FORMATS.values()), [PostResource])
    assert {"Titel", "Inhalt", "Version"} <= {str(field.label) for field in form.fields.values()}


@pytest.mark.parametrize(
    ("permission", "is_there"), [("news.view_post", False), ("news.import_post", True), ("content.view_import", True)]
)
def test_the_navigation_leads_to_the_imports_whoever_may_import_or_view_them(permission, is_there):
    page = sign_in("news.view_post", permission).get(reverse("admin:index")).content.decode()
    assert (reverse("admin:content_import_changelist") in page) == is_there


def test_a_file_for_programs_has_no_byte_order_mark():
    assert export(administrator(), Post).startswith(b"id,")


def test_the_page_of_imports_has_one_csv_which_reads_all():
    choices = administrator().get(admin_url(Post, "import")).context["form"].fields["format"].choices
    assert [title for _, title in choices][1:] == ["CSV", "XLSX", "JSON"]


# --- formulas --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\ta", "\ra", "'=1", "''=1"])
def test_a_text_that_a_spreadsheet_would_run_gets_one_quote(text):
    Post.objects.create(title="T", body=text)
    client = administrator()
    assert rows_of(export(client, Post))[1][3] == f"'{text}"
    assert cells_of(export(client, Post, "xlsx"))[1][3].replace("_x000D_", "\r") == f"'{text}"
    assert json.loads(export(client, Post, "json"))[0]["body"] == text


@pytest.mark.parametrize("text", ["a=1", "'a", "'", "", "''", "5"])
def test_other_texts_are_not_touched(text):
    assert escape(text) == unescape(text) == text


def test_numbers_stay_numbers():
    Post.objects.create(title="T", body="B", user_id=-5)
    client = administrator()
    assert rows_of(export(client, Post))[1][1] == "-5"
    assert cells_of(export(client, Post, "xlsx"))[1][1] == -5
    assert json.loads(export(client, Post, "json"))[0]["user_id"] == -5


# --- what an import writes -------------------------------------------------------------------------------------------
def test_a_preview_writes_nothing():
    preview(administrator(), Post, table(["title", "body"], ["T", "B"]))
    assert (Post.objects.count(), Post.history.count()) == (0, 0)


def test_a_row_without_an_id_adds_and_takes_the_default():
    load(administrator(), Post, table(["id", "user_id", "title", "body"], ["", "", "T", "B"]))
    assert Post.objects.get().user_id == LOCAL_USER_ID


def test_a_column_that_is_missing_keeps_what_is_stored():
    post = Post.objects.create(title="T", body="B", user_id=7)
    load(administrator(), Post, table(["id", "title"], [post.pk, "New"]))
    stored = Post.objects.get()
    assert (stored.title, stored.body, stored.user_id) == ("New", "B", 7)


def test_a_key_that_is_missing_in_one_json_object_keeps_what_is_stored():
    posts = Post.objects.bulk_create([Post(title="T", body="B"), Post(title="T", body="B")])
    records = [{"id": posts[0].pk, "title": "New"}, {"id": posts[1].pk, "body": "New"}]
    load(administrator(), Post, json.dumps(records), "json")
    assert list(Post.objects.order_by("pk").values_list("title", "body")) == [("New", "B"), ("T", "New")]


def test_each_row_leaves_history_with_the_person_and_the_reason():
    post = Post.objects.create(title="T", body="B")
    client = sign_in(*TRANSFER, *WRITE)
    data = table(["id", "title", "body"], [post.pk, "New", "B"], ["", "Added", "B"])
    load(client, Post, data, name="spring news.csv")
    rows = Post.history.order_by("history_id")[1:]
    assert [row.history_type for row in rows] == ["~", "+"]
    for row in rows:
        assert (str(row.history_user), row.history_change_reason) == ("editor", "Imported from spring news.csv")


def test_confirming_twice_imports_once():
    client = administrator()
    answer = preview(client, Post, table(["title", "body"], ["T", "B"]))
    confirm(client, answer)
    again = confirm(client, answer)
    assert "not in the state for this any more" in again.content.decode()
    assert Post.objects.count() == 1


def test_of_two_confirmations_at_once_one_imports():
    client = administrator()
    record = preview(client, Post, table(["title", "body"], ["T", "B"])).context["record"]
    service.write(record)
    with pytest.raises(service.StateError):
        service.write(record)


def test_a_preview_shows_what_would_change_first_and_says_what_it_leaves_out():
    posts = Post.objects.bulk_create([Post(title=f"T{i}", body="B") for i in range(resource.PAGE + 20)])
    rows = [[post.pk, post.title] for post in posts]
    rows[-1][1] = f"{posts[-1].title} edited"
    answer = preview(administrator(), Post, table(["id", "title"], *rows))
    shown = [(row["number"], row["kind"]) for row in answer.context["record"].rows]
    assert shown[:3] == [(resource.PAGE + 21, "update"), (2, "skip"), (3, "skip")]
    assert len(shown) == resource.PAGE
    page = answer.content.decode()
    assert "The page leaves out 20 rows" in page
    assert f"<span>{posts[-1].title}</span><ins> edited</ins>" in page


# --- errors ----------------------------------------------------------------------------------------------------------
def test_an_unknown_id_is_an_error_with_its_cure():
    found = problems(administrator(), Post, table(["id", "title", "body"], [123, "T", "B"]))
    assert found == [(2, "id", "There is no post 123 that you may see. Leave the id empty to add a new post.")]


@pytest.mark.parametrize("value", [10**30, -(10**30)])
def test_an_id_beyond_every_number_is_unknown_too(value):
    assert "There is no post" in problems(administrator(), Post, table(["id", "title"], [value, "T"]))[0][2]


def test_an_id_that_is_there_twice_is_an_error():
    post = Post.objects.create(title="T", body="B")
    found = problems(administrator(), Post, table(["id", "title"], [post.pk, "A"], [post.pk, "B"]))
    assert found == [(3, "id", f"the id {post.pk} is in row 2 already.")]


@pytest.mark.parametrize("value", ["x", "5.5", "1,000", "nan"])
@pytest.mark.parametrize("column", ["id", "user_id"])
def test_a_bad_number_names_its_row_and_column(column, value):
    row = {"id": "", "user_id": "", "title": "T", "body": "B", column: value}
    found = problems(administrator(), Post, table(list(row), list(row.values())))
    assert found == [(2, column, f"“{value}” is not a whole number. Write its digits alone.")]


@pytest.mark.parametrize("word", ["SHIPPED", "Shipped", " shipped ", "Versandt"])
def test_a_choice_is_called_as_in_an_export_or_as_on_the_pages(word):
    client = administrator()
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"
    load(client, Order, table(["product_name", "quantity", "status"], ["Shelf", 1, word]))
    assert Order.objects.get().status == "SHIPPED"


def test_a_choice_that_there_is_not_names_those_that_there_are():
    data = table(["product_name", "quantity", "status"], ["Shelf", 1, "on its way"])
    text = "“on its way” is not a choice. Write one of: PENDING, SHIPPED, DELIVERED."
    assert problems(administrator(), Order, data) == [(2, "status", text)]


def test_the_row_is_where_it_is_in_the_file_although_empty_rows_are_left_out():
    found = problems(administrator(), Post, "title,body\nT,B\n\n,\nT,\n")
    assert found == [(5, "body", "A value is missing. Write one.")]


def test_the_number_of_a_json_object_counts_from_one():
    data = json.dumps([{"title": "T", "body": "B"}, {"title": "T", "body": ""}])
    found = problems(administrator(), Post, data, "json")
    assert [(row, column) for row, column, _ in found] == [(2, "body")]


@pytest.mark.parametrize(("column", "value"), [("title", "x" * 257), ("body", "   "), ("body", "x" * 1025)])
def test_the_models_own_rules_hold(column, value):
    row = {"user_id": "1", "title": "T", "body": "B", column: value}
    found = problems(administrator(), Post, table(list(row), list(row.values())))
    assert [(number, name) for number, name, _ in found] == [(2, column)]


def test_a_comment_of_a_post_that_is_not_there_is_an_error():
    rows = table(["post", "name", "email", "body"], ["77", "N", "reader@example.com", "B"])
    found = problems(administrator(), Comment, rows)
    assert [(row, column) for row, column, _ in found] == [(2, "post")]
    assert found[0][2] == "There is no post 77 that you may see."


def test_an_unknown_column_is_left_out_and_named():
    client = administrator()
    page = preview(client, Post, table(["titel", "title", "body"], ["X", "T", "B"]))
    assert page.context["report"].left_out == ["titel"]
    assert "Left out: titel" in page.content.decode()
    confirm(client, page)
    assert Post.objects.get().title == "T"


def test_a_file_without_a_known_column_names_those_allowed():
    found = problems(administrator(), Post, table(["titel", "text"], ["X", "B"]))
    assert found == "No heading is that of a column. The columns may be: id, user_id, title, body, version."


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        ("csv", ",title\nT,B", "A column has no name"),
        ("csv", "title,title\nT,B", "The column title is in the file twice"),
        ("csv", 'title,body\nT,"B"x', "is not CSV"),
        ("csv", b"title,body\nT,\x81", "not UTF-8 text: something in line 2 can't be read (byte 14 is wrong)"),
        ("json", '[{"title": ', "The file is not JSON"),
        ("json", '"title"', "must hold a list of objects"),
        ("json", b"\xff\xfe[", "not UTF-16 text"),
        ("json", '["Stra\xdfe"]'.encode("latin-1"), "not UTF-8 text"),
        ("json", r'[{"title": "T"}, {"\udfff": "T"}]', "holds U+DFFF, which is an unpaired surrogate"),
        ("xlsx", b"PK\x03\x04 broken", "not an XLSX workbook"),
        ("xlsx", "title,body", "not an XLSX workbook"),
        ("csv", "", "empty"),
        ("csv", "title,body\n", "The file has no rows"),
        ("xlsx", workbook(), "The file has no rows"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(kind, data, message):
    assert message in problems(administrator(), Post, data, kind)


@pytest.mark.parametrize(
    ("kind", "data", "column", "message"),
    [
        ("csv", "title,body\nT,B\nT,B,C", "body", "The row has 3 cells, but the first row names 2 columns."),
        ("csv", "title,body\nT,B\nT", "body", "The row has 1 cell, but the first row names 2 columns."),
        ("csv", "title,body,\nT,B,\nT,B,C", "body", "The row has 3 cells, but the first row names 2 columns."),
        ("xlsx", workbook(["title", "body"], ["T", "B"], ["T", "B", None, "C"]), "body", "The row has 3 cells"),
        ("json", r'[{"title": "T", "body": "B"}, {"title": "\ud800", "body": "B"}]', "title", "U+D800, which is"),
        ("xlsx", workbook(["title", "body"], ["T", "B"], ["T", "_xD800_"]), "body", "U+D800, which is"),
    ],
)
def test_a_row_that_cannot_be_read_is_an_error_of_its_own(kind, data, column, message):
    (found,) = problems(administrator(), Post, data, kind)
    assert found[:2] == (2 if kind == "json" else 3, column)
    assert message in found[2]


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("csv", "title,body,,\nT,B,,\nU,C\n,,,\n,\n"),
        ("xlsx", workbook(["title", "body", None], ["T", "B", ""], ["U", "C"], ["", None, None, ""])),
    ],
)
def test_blank_columns_and_rows_at_the_end_are_left_out(kind, data):
    load(administrator(), Post, data, kind)
    assert set(Post.objects.values_list("title", "body")) == {("T", "B"), ("U", "C")}


def test_a_file_with_too_many_rows_is_refused(monkeypatch):
    monkeypatch.setattr("content.base.tables.MAX_ROWS", {"postgresql": 3, "sqlite": 3})
    assert "more than 3 rows. Split it." in problems(administrator(), Post, "title,body\n" + "T,B\n" * 4)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_with_too_many_columns_is_refused(kind):
    names = [f"c{number}" for number in range(MAX_COLUMNS + 1)]
    data = {
        "csv": lambda: table(names, names),
        "xlsx": lambda: workbook(names, names),
        "json": lambda: json.dumps([dict.fromkeys(names, "x")]),
    }
    found = problems(administrator(), Post, data[kind](), kind)
    assert f"has {MAX_COLUMNS + 1} columns, more than {MAX_COLUMNS}" in found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf_8_is_read_with_and_without_a_byte_order_mark(encoding):
    load(administrator(), Post, "title,body\nGrüße,B\n".encode(encoding))
    assert Post.objects.get().title == "Grüße"


def test_a_number_in_a_text_cell_of_a_workbook_is_read_as_it_shows():
    load(administrator(), Post, workbook(["title", "body"], [2026, 1.5]), "xlsx")
    assert Post.objects.values_list("title", "body").get() == ("2026", "1.5")


@pytest.mark.parametrize("value", [True, {"a": 1}, ["x"]])
def test_a_value_that_is_not_text_is_refused(value):
    found = problems(administrator(), Post, json.dumps([{"title": value, "body": "B"}]), "json")
    assert "is not a text" in found[0][2]


# --- permissions -----------------------------------------------------------------------------------------------------
def test_only_the_permissions_to_import_and_export_give_buttons_and_pages():
    reader, mover = sign_in("news.view_post", "news.change_post"), sign_in(*TRANSFER, name="mover")
    for page in ("import", "export"):
        assert admin_url(Post, page) not in reader.get(admin_url(Post, "changelist")).content.decode()
        assert admin_url(Post, page) in mover.get(admin_url(Post, "changelist")).content.decode()
    for page in ("import", "export", "process_import"):
        assert reader.post(admin_url(Post, page)).status_code == 403


@pytest.mark.parametrize(("look", "status"), [(None, 403), ("news.view_post", 200), ("news.change_post", 200)])
def test_an_export_needs_the_right_to_look_too(look, status):
    client = sign_in(*filter(None, ["news.export_post", look]))
    assert client.get(admin_url(Post, "export")).status_code == status
    assert client.post(admin_url(Post, "export"), {"format": "0", "resource": ""}).status_code == status


@pytest.mark.parametrize(("permission", "verb"), [("news.change_post", "add"), ("news.add_post", "change")])
def test_an_import_needs_the_right_to_add_for_new_and_to_change_for_changed_rows(permission, verb):
    post = Post.objects.create(title="T", body="B")
    client = sign_in(*TRANSFER, permission)
    rows = {"add": ["", "New", "B"], "change": [post.pk, "New", "B"]}
    found = problems(client, Post, table(["id", "title", "body"], rows[verb]))
    assert found == [(2, "", f"You need the permission news.{verb}_post to {verb} posts.")]


# --- as jobs ---------------------------------------------------------------------------------------------------------
BIG = table(["title", "body"], *([f"T{number}", "B"] for number in range(service.HERE + 1)))


def job_page(job) -> str:
    return reverse("admin:jobs_job_change", args=[job.pk])


def test_a_small_import_is_done_at_once():
    client = sign_in(*TRANSFER, *WRITE)
    page = confirm(client, preview(client, Post, table(["title", "body"], ["T", "B"]), name="spring.csv"))
    record = page.context["record"]
    assert (record.file_name, str(record.user), record.state) == ("spring.csv", "editor", "done")
    assert record.written == {"new": 1, "changed": 0, "unchanged": 0, "failed": 0}
    assert [(job.state, job.total, job.done) for job in Job.objects.all()] == [("done", 1, 1)] * 2


@pytest.mark.slow
def test_a_big_import_waits_for_a_worker_that_reads_it_and_then_writes_it():
    client = sign_in(*TRANSFER, *WRITE)
    page = preview(client, Post, BIG)
    assert "The file is being read" in page.content.decode()
    record = page.context["record"]
    work_here(record.job)
    page = confirm(client, client.get(record.get_absolute_url()))
    assert (page.context["record"].state, Post.objects.count()) == ("writing", 0)
    work_here(page.context["record"].job)
    record.refresh_from_db()
    assert (record.state, record.written["new"]) == ("done", service.HERE + 1)
    assert {str(row.history_user) for row in Post.history.all()} == {"editor"}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(book(rows("<row/>" * 200_000)), id="XML"),
        pytest.param(book(rows(*[f"<row>{FIRST_TEXT * 2}</row>"] * 10), texts=[f"<t>{'x' * 100_000}</t>"]), id="texts"),
    ],
)
def test_a_small_workbook_that_stands_for_much_is_read_by_a_worker(data):
    assert len(data) < 10_000
    page = preview(sign_in(*TRANSFER, *WRITE), Post, data, "xlsx")
    assert page.context["record"].job.state == Job.State.QUEUED


def test_a_row_that_became_wrong_after_the_preview_is_named_and_the_others_are_written():
    post = Post.objects.create(title="T", body="B")
    client = administrator()
    answer = preview(client, Post, table(["id", "title", "body"], ["", "Added", "B"], [post.pk, "New", "B"]))
    key = post.pk
    post.delete()
    page = confirm(client, answer)
    record = page.context["record"]
    assert (record.state, record.written["new"], record.written["failed"]) == ("done", 1, 1)
    message = f"There is no post {key} that you may see. Leave the id empty to add a new post."
    assert page.context["report"].problems == [(3, "id", message)]
    assert [post.title for post in Post.objects.all()] == ["Added"]


def test_an_import_that_was_given_up_meanwhile_writes_nothing(admin_user):
    """The sweep took the worker for dead, and said so to the person."""
    record = waiting(admin_user)
    service.write(record)
    take(record.job)
    Job.objects.filter(pk=record.job.pk).update(state="failed", error=STOPPED, finished_at=clock.now())
    with pytest.raises(JobOverError):
        slices.write(Progress(record.job), pk=str(record.pk))
    assert not Post.objects.exists()
    record.refresh_from_db()
    assert record.is_stuck


def waiting(user, *rows):
    """An import of a small file that waits for its confirmation."""
    upload = Upload.of([table(["title", "body"], *(rows or [["T", "B"]])).encode()])
    return service.start_import(model=Post, user=user, upload=upload, kind="CSV", file_name="posts.csv", here=True)


@pytest.mark.parametrize("lost", ["news.import_post", "news.add_post"])
def test_what_was_taken_away_since_the_confirmation_is_missed(lost):
    sign_in(*TRANSFER, *WRITE)
    record = waiting(User.objects.get())
    service.write(record)
    record.user.user_permissions.remove(Permission.objects.get(codename=lost.partition(".")[2]))
    work_here(record.job)
    record.refresh_from_db()
    assert "may not" in record.job.error or record.written["failed"] == 1
    assert not Post.objects.exists()


def test_a_small_export_is_a_job_whose_file_is_the_answer():
    Post.objects.create(title="T", body="B")
    data = export(administrator(), Post)
    job = Job.objects.get()
    assert (job.state, job.done, job.file_type) == ("done", 1, "text/csv; charset=utf-8")
    assert job.file_name.startswith("Post-")
    assert waiting_files.path(job.file).read_bytes() == data


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_worker_makes_a_big_export_and_its_page_offers_it():
    many = [Post(title=f"T{number}", body="B") for number in range(transfer.EXPORTED_HERE + 1)]
    Post.objects.bulk_create([*many, Post(title="spare", body="B")])
    client = sign_in(*TRANSFER)
    form = {"format": "0", "resource": "", "postresource_id": "on", "postresource_title": "on"}
    with Worker():
        answer = client.post(f"{admin_url(Post, 'export')}?q=T", form)
        job = Job.objects.get()
        assert answer["Location"] == job_page(job)
        until(lambda: Job.objects.get(pk=job.pk).finished_at)
    job.refresh_from_db()
    assert (job.total, job.done, job.error) == (len(many), len(many), "")
    file = reverse("admin:jobs_job_file", args=[job.pk])
    assert file in client.get(job_page(job)).content.decode()
    rows = rows_of(client.get(file).getvalue())
    assert rows[0] == ["id", "title"]
    assert [row[1] for row in rows[1:]] == [post.title for post in many]


def test_an_export_whose_permission_was_taken_away_holds_nothing():
    Post.objects.create(title="T", body="B")
    client = sign_in(*TRANSFER)
    export(client, Post)
    job = Job.objects.get()
    again = start(job.work, user=job.user, title="Again", arguments=job.arguments)
    User.objects.get().user_permissions.clear()
    work_here(again)
    assert (again.state, again.file, again.error) == ("failed", "", "You may not do this.")


class Owned(ContentQuerySet):
    def visible_to(self, user):
        return self.filter(title=user.username) if user else self


def test_an_export_holds_only_what_exists_for_the_person():
    Post.objects.bulk_create([Post(title="editor", body="B"), Post(title="other", body="B")])
    rows = PostResource(user=User(username="editor")).table(Owned(Post), ["title"])[1]
    assert list(rows) == [["editor"]]
    rows = PostResource().table(Owned(Post), ["title"])[1]
    assert list(rows) == [["editor"], ["other"]]


class SmallSheet(XLSX):
    max_sheet = 2000


def test_a_sheet_that_cannot_hold_all_rows_says_what_can():
    assert XLSX.max_sheet == 2**20 - 1  # and one for the headers
    out, rows = io.BytesIO(), [["x"]] * SmallSheet.max_sheet
    SmallSheet().write(out, ["title"], rows)
    assert len(cells_of(out.getvalue())) == len(rows) + 1
    with pytest.raises(FileError, match=r"at most 2,000 rows\. Choose CSV or JSON"):
        SmallSheet().write(io.BytesIO(), ["title"], [*rows, ["x"]])


def test_an_export_of_nothing_has_its_headers_or_is_an_empty_list():
    client = administrator()
    headers = ["id", "user_id", "title", "body"]
    assert rows_of(export(client, Post)) == [headers]
    assert cells_of(export(client, Post, "xlsx")) == [tuple(headers)]
    assert json.loads(export(client, Post, "json")) == []
