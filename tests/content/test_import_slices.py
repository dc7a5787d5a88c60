"""Imports in slices: what goes on after any end, what is refused alone, and what of it is undone."""

from contextlib import closing
from typing import Any

import pytest
from django.urls import reverse

from backoffice.kit.jobs import service as jobs
from backoffice.kit.jobs.models import Job
from backoffice.kit.jobs.progress import Progress
from backoffice.kit.jobs.service import work_here
from content.base.imports import run, service, slices
from content.base.imports.model import Import
from content.base.imports.source import Source, problems_of
from content.base.imports.writing import write
from content.base.uploads import Upload
from content.news.models import Comment, Post
from content.palettes.models import Membership, Team
from syncer.models import Route, Target
from tests.content.files import act, confirm, load, preview, rows_of, table
from tests.content.pages import administrator, browser, person, sign_in
from tests.content.palettes.people import members

pytestmark = [pytest.mark.law, pytest.mark.django_db]


@pytest.fixture
def small_slices(monkeypatch):
    monkeypatch.setattr(slices, "SLICE", 3)


def begun(model: Any, data: str, user: Any = None) -> Import:
    """An import that was read, and is confirmed and waits for a worker."""
    upload = Upload.of([data.encode()])
    record = service.start_import(model=model, user=user, upload=upload, kind="CSV", file_name="rows.csv", here=True)
    service.write(record)
    return record


def posts(count: int) -> list[Post]:
    return Post.objects.bulk_create([Post(title=f"T{number}", body="B") for number in range(count)])


def titles() -> list[str]:
    return list(Post.objects.order_by("pk").values_list("title", flat=True))


def teams(*names: str) -> list[Team]:
    return Team.objects.bulk_create([Team(name=name) for name in names])


def names() -> list[str]:
    return list(Team.objects.exclude(name__endswith="'s team").order_by("pk").values_list("name", flat=True))


def job_of(record: Import) -> Job:
    """The job that is at work on it, or was last."""
    return Job.objects.get(pk=str(record.job_id))


def done(record: Import) -> Import:
    record.refresh_from_db()
    assert record.state == "done", f"{record.state} {record.error} {record.job and record.job.error}"
    return record


# --- slices ----------------------------------------------------------------------------------------------------------
class Killed(BaseException):
    """The end of a worker, which nothing catches."""


@pytest.mark.usefixtures("small_slices")
@pytest.mark.parametrize("slice_", range(4))
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_anywhere_it_goes_on_and_writes_nothing_twice(monkeypatch, slice_, when):
    stored = posts(4)
    changed = [[post.pk, f"{post.title}!", "B"] for post in stored]
    record = begun(Post, table(["id", "title", "body"], *changed, *(["", f"N{n}", "B"] for n in range(6))))
    calls = []

    def killing(stage: Any, resource: Any) -> None:
        calls.append(stage)
        if len(calls) == slice_ + 1 and when == "before":
            raise Killed
        write(stage, resource)
        if len(calls) == slice_ + 1:
            raise Killed

    with monkeypatch.context() as context:
        context.setattr(run, "write", killing)
        with pytest.raises(Killed):
            work_here(job_of(record))
    Job.objects.filter(pk=job_of(record).pk).update(state="queued")
    assert len(Post.objects.filter(title__endswith="!")) + Post.objects.filter(title__startswith="N").count() == min(
        3 * slice_, 10
    )
    work_here(job_of(record))
    assert done(record).written == {"new": 6, "changed": 4, "unchanged": 0, "failed": 0}
    assert titles() == [*(f"T{n}!" for n in range(4)), *(f"N{n}" for n in range(6))]
    assert Post.history.count() == 4 + 10


@pytest.mark.usefixtures("small_slices")
def test_a_worker_that_is_late_writes_no_slice_that_another_one_wrote(monkeypatch):
    monkeypatch.setattr(slices, "TURN", 0)
    record = begun(Post, table(["title", "body"], *([f"N{n}", "B"] for n in range(4))))
    jobs.take(job_of(record))
    late = Import.objects.get(pk=record.pk)
    source = Source.of(late, None)
    with closing(problems_of(late, is_late=True)) as problems:
        writer = slices._Writer(late, source, problems, Progress(job_of(record)))
        slices.write(Progress(job_of(record)), pk=str(record.pk))
        with pytest.raises(slices.StoppedError):
            writer.write()
    assert Post.objects.count() == 3


@pytest.mark.usefixtures("small_slices")
def test_a_long_import_gives_its_worker_free_and_goes_on(monkeypatch):
    monkeypatch.setattr(slices, "TURN", 0)
    record = begun(Post, table(["title", "body"], *([f"N{n}", "B"] for n in range(7))))
    for written in (3, 6, 7, 7):
        work_here(job_of(record))
        assert Post.objects.count() == written
    assert done(record).written["new"] == 7


@pytest.mark.usefixtures("small_slices")
def test_a_cancelled_import_stops_and_what_it_wrote_can_be_undone(monkeypatch):
    client = administrator()
    page = preview(client, Post, table(["title", "body"], *([f"N{n}", "B"] for n in range(7))))
    record = page.context["record"]
    monkeypatch.setattr(slices, "TURN", 0)
    page = confirm(client, page)
    assert (page.context["record"].state, Post.objects.count()) == ("writing", 3)
    page = act(client, record, "cancel")
    assert (page.context["record"].state, page.context["may_undo"]) == ("cancelled", True)
    work_here(job_of(page.context["record"]))
    assert Post.objects.count() == 3
    act(client, record, "undo")
    assert not Post.objects.exists()


def test_an_import_that_is_cancelled_before_it_wrote_says_that_nothing_was_changed():
    client = administrator()
    record = preview(client, Post, table(["title", "body"], ["A", "B"])).context["record"]
    page = act(client, record, "cancel")
    assert (page.context["report"].message, page.context["report"].figures) == (
        "It was cancelled. Nothing was changed.",
        [],
    )
    for word in ("What would have changed", "Choose another file"):
        assert word in page.content.decode()


def test_the_rows_that_are_right_are_imported_and_the_others_are_in_a_file():
    client = administrator()
    data = table(["title", "remark", "body"], ["A", "x", "B"], ["", "y", "=1"], ["C", "z", "B"], ["D", "w", ""])
    page = preview(client, Post, data)
    assert (page.context["report"].right, page.context["record"].failed) == (2, 2)
    refused = act(client, page.context["record"], "confirm")
    assert "Rows are wrong" in refused.content.decode()
    assert not Post.objects.exists()
    page = act(client, page.context["record"], "confirm", rows="right")
    assert done(page.context["record"]).written == {"new": 2, "changed": 0, "unchanged": 0, "failed": 0}
    assert titles() == ["A", "C"]
    answer = client.post(reverse("admin:content_import_failed", args=[page.context["record"].pk]))
    content = answer.getvalue()
    assert 'filename="rows-failed.csv"' in answer["Content-Disposition"]
    assert content.startswith(b"\xef\xbb\xbf")
    blank = "A value is missing. Write one."
    assert rows_of(content.removeprefix(b"\xef\xbb\xbf")) == [
        ["title", "remark", "body", "row in the file", "what is wrong"],
        ["", "y", "'=1", "3", f"title: {blank}"],
        ["D", "w", "", "5", f"body: {blank}"],
    ]
    page = preview(client, Post, content.replace(b",w,,", b",w,B,"))
    assert page.context["report"].left_out == ["remark"]


# --- unique values ---------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("small_slices")
def test_rows_that_pass_on_values_are_written_at_once_however_far_apart_they_are():
    a, b, *others = teams("A", "B", *(f"T{n}" for n in range(8)))
    rows = [[a.pk, "B"], *([team.pk, f"{team.name}!"] for team in others), ["", "A"], [b.pk, "C"]]
    record = begun(Team, table(["id", "name"], *rows))
    assert record.exchanged == [2, 11, 12]
    work_here(job_of(record))
    assert done(record).written == {"new": 1, "changed": 10, "unchanged": 0, "failed": 0}
    assert names() == ["B", "C", *(f"T{n}!" for n in range(8)), "A"]


def test_more_rows_that_pass_on_values_than_fit_one_slice_are_refused(monkeypatch):
    monkeypatch.setattr(run, "MOST_EXCHANGED", 2)
    a, b, c = teams("A", "B", "C")
    page = preview(administrator(), Team, table(["id", "name"], [a.pk, "B"], [b.pk, "C"], [c.pk, "A"]))
    assert "More than 2 rows pass on values" in page.context["record"].error


def test_a_row_that_waits_for_a_wrong_one_is_refused_with_all_that_wait_for_it():
    a, b, c, d = teams("A", "B", "C", "D")
    data = table(["id", "name"], [a.pk, "B"], [b.pk, "C"], [c.pk, " "], [d.pk, "E"])
    page = preview(administrator(), Team, data)
    found = page.context["report"].problems
    assert [(row, "row " in message) for row, _, message in found] == [(2, True), (3, True), (4, False)]
    act(administrator(), page.context["record"], "confirm", rows="right")
    assert names() == ["A", "B", "C", "E"]


@pytest.mark.usefixtures("small_slices")
def test_a_key_that_an_earlier_slice_wrote_is_still_refused():
    first, *rest = posts(5)
    rows = [[post.pk, f"{post.title}!"] for post in [first, *rest]]
    record = begun(Post, table(["id", "title"], *rows, [first.pk, "again"]))
    work_here(job_of(record))
    assert done(record).counts["wrong"] == 1
    assert record.written == {"new": 0, "changed": 5, "unchanged": 0, "failed": 0}
    assert titles() == [f"T{n}!" for n in range(5)]


# --- newer edits -----------------------------------------------------------------------------------------------------
def exported(client: Any, *columns: str) -> list[list[str]]:
    form = {"format": 0, "resource": "", **{f"postresource_{name}": "on" for name in columns}}
    return rows_of(client.post(reverse("admin:news_post_export"), form).getvalue())


def test_an_export_says_from_which_version_each_row_is():
    first, second = posts(2)
    Post.objects.filter(pk=first.pk).update(title="Newer")
    rows = exported(administrator(), "id", "title", "version")
    newest = {
        str(post.pk): str(Post.history.filter(id=post.pk).latest("history_id").history_id) for post in (first, second)
    }
    assert rows == [
        ["id", "title", "version"],
        *([str(p.pk), t, newest[str(p.pk)]] for p, t in [(first, "Newer"), (second, "T1")]),
    ]


def test_an_old_file_reverts_no_newer_edit():
    post, other = posts(2)
    client = administrator()
    rows = exported(client, "id", "title", "body", "version")
    rows[1][1] = "Ours"
    Post.objects.filter(pk=post.pk).update(body="Theirs")
    Post.objects.filter(pk=other.pk).update(title="Theirs too")
    record = load(client, Post, table(*rows))
    assert record.written == {"new": 0, "changed": 1, "unchanged": 1, "failed": 0}
    assert list(Post.objects.order_by("pk").values_list("title", "body")) == [("Ours", "Theirs"), ("Theirs too", "B")]


def test_a_field_that_both_changed_is_a_conflict_that_says_who_and_when():
    posts(2)
    client = administrator()
    rows = exported(client, "id", "title", "body", "version")
    rows[1][1], rows[2][1] = "Ours", "Fine"
    load(
        browser(person("boss", "news.view_post", "news.import_post", "news.change_post")),
        Post,
        f"id,title\n{rows[1][0]},Theirs\n",
    )
    page = preview(client, Post, table(*rows))
    assert page.context["record"].counts == {"new": 0, "changed": 1, "unchanged": 0, "conflict": 1, "wrong": 0}
    ((row, column, message),) = page.context["report"].problems
    assert (row, column) == (2, "title")
    assert message.startswith("boss changed this at ")
    act(client, page.context["record"], "confirm", rows="right")
    assert titles() == ["Theirs", "Fine"]


@pytest.mark.parametrize("cell", ["x", "-1", "1.5", "9" * 30])
def test_a_version_that_is_none_is_an_error_of_its_row(cell):
    (post,) = posts(1)
    page = preview(administrator(), Post, table(["id", "title", "version"], [post.pk, "New", cell]))
    assert [(row, column) for row, column, _ in page.context["report"].problems] == [(2, "version")]


def test_a_version_of_another_object_counts_as_unknown():
    post, other = posts(2)
    Post.objects.filter(pk=post.pk).update(title="Newer")
    version = Post.history.get(id=other.pk).history_id - 1
    page = preview(administrator(), Post, table(["id", "title", "version"], [other.pk, "New", version]))
    assert page.context["record"].counts["conflict"] == 1


@pytest.mark.django_db(transaction=True)
def test_what_somebody_changes_between_preview_and_confirmation_is_kept_or_a_conflict():
    first, second, third = posts(3)
    client = administrator()
    page = preview(client, Post, table(["id", "title"], *([post.pk, "Ours"] for post in (first, second, third))))
    Post.objects.filter(pk=first.pk).update(body="Theirs")
    Post.objects.filter(pk=second.pk).update(title="Theirs")
    page = confirm(client, page)
    assert done(page.context["record"]).written == {"new": 0, "changed": 2, "unchanged": 0, "failed": 1}
    assert list(Post.objects.order_by("pk").values_list("title", "body")) == [
        ("Ours", "Theirs"),
        ("Theirs", "B"),
        ("Ours", "B"),
    ]
    assert "changed this at" in page.context["report"].problems[0][2]


# --- undo ------------------------------------------------------------------------------------------------------------
def test_an_undo_gives_back_what_was_and_deletes_what_was_added():
    first, second = posts(2)
    client = administrator()
    record = load(
        client, Post, table(["id", "title", "body"], [first.pk, "New", "B"], ["", "Added", "B"]), name="x.csv"
    )
    page = act(client, record, "undo")
    assert done(page.context["record"]).written == {
        "new": 0,
        "changed": 1,
        "unchanged": 0,
        "failed": 0,
        "deleted": 1,
        "kept": 0,
    }
    assert titles() == ["T0", "T1"]
    newest = Post.history.order_by("-history_id")[:2]
    assert {row.history_change_reason for row in newest} == {"Undid: Imported from x.csv"}
    assert not Post.history.filter(id=second.pk).exclude(history_type="+").exists()
    record.refresh_from_db()
    assert record.state == "undone"
    assert "nothing that could be undone" in act(client, record, "undo").content.decode()


def test_an_undo_leaves_alone_what_somebody_changed_since():
    first, second = posts(2)
    client = administrator()
    rows = [
        [first.pk, "New", "B"],
        [second.pk, "New", "B"],
        ["", "Added", "B"],
        ["", "Answered", "B"],
        ["", "Edited", "B"],
    ]
    record = load(client, Post, table(["id", "title", "body"], *rows))
    Post.objects.filter(pk=first.pk).update(body="Theirs")
    Comment.objects.create(post=Post.objects.get(title="Answered"), name="N", email="n@example.com", body="B")
    Post.objects.filter(title="Edited").update(body="Theirs")
    page = act(client, record, "undo")
    assert titles() == ["New", "T1", "Answered", "Edited"]
    assert Comment.objects.count() == 1
    written = done(page.context["record"]).written
    assert (written["deleted"], written["kept"], written["changed"]) == (1, 2, 1)
    messages = " ".join(message for *_, message in page.context["report"].problems)
    assert "Somebody added comments to it." in messages
    assert "Somebody changed it after the import." in messages
    assert "changed this at" in messages


def test_an_undo_swaps_names_back():
    a, b = teams("A", "B")
    client = administrator()
    record = load(client, Team, table(["id", "name"], [a.pk, "B"], [b.pk, "C"], ["", "A"]))
    assert names() == ["B", "C", "A"]
    act(client, record, "undo")
    assert names() == ["A", "B"]


def test_an_undo_takes_along_what_the_import_added_to_its_objects():
    user = person("member", *(f"palettes.{verb}_team" for verb in ("view", "import", "add", "change", "delete")),
                  *(f"palettes.{verb}_membership" for verb in ("add", "delete")))  # fmt: skip
    record = load(browser(user), Team, table(["name"], ["A"]))
    assert members(Team.objects.get(name="A")) == {"member"}
    act(browser(user), record, "undo")
    assert names() == []
    assert not Membership.objects.filter(team__name="A").exists()


def test_whoever_may_not_delete_undoes_no_additions():
    client = sign_in("news.view_post", "news.import_post", "news.add_post", "news.change_post")
    record = load(client, Post, table(["title", "body"], ["A", "B"]))
    page = act(client, record, "undo")
    assert "news.delete_post" in page.context["report"].problems[0][2]
    assert titles() == ["A"]


# --- the page --------------------------------------------------------------------------------------------------------
def test_columns_are_matched_by_their_labels_and_can_be_mapped():
    client = administrator()
    page = preview(client, Post, table(["User ID", "TITLE", "Text"], ["7", "T", "Some words"]))
    record = page.context["record"]
    assert record.columns == {"User ID": "user_id", "TITLE": "title", "Text": ""}
    assert [(row, column) for row, column, _ in page.context["report"].problems] == [(2, "body")]
    page = act(client, record, "columns", **{"column-0": "", "column-1": "title", "column-2": "body"})
    assert not page.context["report"].problems
    confirm(client, page)
    assert Post.objects.values_list("title", "body", "user_id").get() == ("T", "Some words", Post().user_id)


def test_two_headings_for_one_column_are_refused_and_can_be_mapped_then():
    client = administrator()
    page = preview(client, Post, table(["title", "Title", "body"], ["T", "x", "B"]))
    record = page.context["record"]
    assert "“title” and “Title” both name the column title" in record.error
    assert page.context["may_map"]
    page = act(client, record, "columns", **{"column-0": "title", "column-1": "", "column-2": "body"})
    assert page.context["may_confirm"]


def test_the_same_file_twice_is_noticed():
    client = administrator()
    data = table(["title", "body"], ["A", "B"])
    first = load(client, Post, data)
    page = preview(client, Post, data)
    assert page.context["report"].earlier == first
    assert "The same file was imported on" in page.content.decode()


def test_an_import_of_what_is_stored_already_offers_nothing_to_import():
    (post,) = posts(1)
    page = preview(administrator(), Post, table(["id", "title"], [post.pk, "T0"]))
    assert "There is nothing to import" in page.content.decode()
    assert not page.context["may_confirm"]


def test_the_page_says_what_the_targets_will_be_sent(remote):
    target = Target.objects.create(name="fakeapi", title="Fake API", url=remote.url, timeout=10)
    Route.objects.create(target=target, model="news.Post", path="/posts", fields={"title": "title"})
    first, second, third = posts(3)
    rows = [[first.pk, "New", "B"], [second.pk, "T1", "Untold"], ["", "Added", "B"], [third.pk, "T2", "B"]]
    page = preview(administrator(), Post, table(["id", "title", "body"], *rows))
    assert page.context["report"].consequences == ["At most 1 update and 1 create will go to Fake API."]


def test_an_import_is_seen_by_its_maker_and_those_who_may_view_imports():
    client = sign_in("news.view_post", "news.import_post", "news.add_post")
    record = preview(client, Post, table(["title", "body"], ["A", "B"])).context["record"]
    listed = reverse("admin:content_import_changelist")
    assert record.file_name in client.get(listed).content.decode()
    other = sign_in("news.view_post", "news.import_post", "news.add_post", name="other")
    assert record.file_name not in other.get(listed).content.decode()
    assert other.get(record.get_absolute_url()).status_code == 404
    viewer = sign_in("content.view_import", "news.import_post", name="viewer")
    page = viewer.get(record.get_absolute_url())
    assert (page.status_code, "What changes" in page.content.decode()) == (200, False)
    for name in ("confirm", "cancel", "columns", "continue", "failed"):
        assert act(viewer, record, name).status_code == 403
    without = sign_in("content.view_import", name="without")
    for name in ("failed", "undo"):
        assert act(without, record, name).status_code == 403


def test_an_import_whose_worker_is_gone_for_good_can_be_continued():
    client = administrator()
    page = preview(client, Post, table(["title", "body"], ["A", "B"]))
    record = page.context["record"]
    service.write(record)
    Job.objects.filter(pk=job_of(record).pk).update(state="failed", error="Gone.", finished_at=record.created_at)
    page = client.get(record.get_absolute_url())
    assert page.context["may_continue"]
    page = act(client, record, "continue")
    work_here(job_of(page.context["record"]))
    assert titles() == ["A"]


# --- rows of the program ---------------------------------------------------------------------------------------------
def test_the_program_imports_rows_that_it_makes_with_preview_and_undo():
    first, second = posts(2)
    version = Post.history.get(id=first.pk).history_id
    rows = [{"id": first.pk, "version": version, "title": "New"}, {"id": second.pk, "body": "Other"}]
    record = service.start_rows(
        model=Post, rows=iter(rows), user=None, name="Change 2 posts", reason="A rename", here=True
    )
    assert record.counts["changed"] == 2
    service.write(record, here=True)
    assert list(Post.objects.order_by("pk").values_list("title", "body")) == [("New", "B"), ("T1", "Other")]
    assert Post.history.latest("history_id").history_change_reason == "A rename"
    service.undo(record, user=None, here=True)
    assert list(Post.objects.order_by("pk").values_list("title", "body")) == [("T0", "B"), ("T1", "B")]
