"""Fields of many objects get new values at once: chosen, seen before anything is written, confirmed, undone."""

import pytest
from django.urls import reverse

from backoffice.accounts.models import User
from content.base import bulk_admin
from content.base.imports import service
from content.base.imports.model import Import
from content.base.imports.report import Report
from content.news.models import Comment, Post
from content.orders.models import Order
from content.palettes.models import Palette, Team
from tests.content.pages import administrator, person, sign_in

pytestmark = pytest.mark.django_db(transaction=True)

LIST = reverse("admin:news_post_changelist")
MAY = ("news.view_post", "news.change_post", "news.import_post", "news.set_user_id")


def posts(number: int) -> list[Post]:
    return [Post.objects.create(title=f"T{each}", body="B") for each in range(number)]


def change(client, page: str, chosen, fields: list[str], **values: object):
    """Answer the question of the action for the chosen objects."""
    data = {"action": "change_chosen", "_selected_action": [str(obj.pk) for obj in chosen], "_change": "yes"}
    return client.post(page, {**data, "_fields": fields, **values})


def confirm() -> Import:
    record = Import.objects.get()
    service.write(record, here=True)
    return record


def test_chosen_objects_get_the_value_after_it_was_seen_and_confirmed():
    first, _, third = posts(3)
    answer = change(administrator(), LIST, [first, third], ["body"], body="New", title="Ignored", _reason="A rename")
    record = Import.objects.get()
    assert answer["Location"] == record.get_absolute_url()
    assert record.counts["changed"] == 2
    assert not Post.objects.filter(body="New").exists()
    confirm()
    assert sorted(Post.objects.values_list("title", "body")) == [("T0", "New"), ("T1", "B"), ("T2", "New")]
    row = Post.history.first()
    assert (row.history_change_reason, row.history_user_name) == ("A rename", "administrator")
    record.refresh_from_db()
    service.undo(record, user=None, here=True)
    assert set(Post.objects.values_list("body", flat=True)) == {"B"}


def test_its_pages_speak_of_objects_and_not_of_a_file():
    client = administrator()
    answer = change(client, LIST, posts(2), ["body"], body="New")
    page = client.get(answer["Location"]).content.decode()
    assert "Nothing is changed yet. Every object can be changed." in page
    assert "Change 2 objects" in page
    for word in ("Encoding", "Choose another file", "Columns of the file", "Import 2 rows"):
        assert word not in page
    record = confirm()
    page = client.get(answer["Location"]).content.decode()
    for word in ("The objects were changed.", "Undo this change", "What changed"):
        assert word in page
    undoing = service.undo(record, user=User.objects.get(), here=True)
    page = client.get(undoing.get_absolute_url()).content.decode()
    assert "It was undone." in page
    assert "Encoding" not in page
    assert "The objects were changed, and that was undone later." in client.get(answer["Location"]).content.decode()


def test_the_history_says_without_a_reason_too_that_it_was_a_bulk_edit_and_its_undo():
    change(administrator(), LIST, posts(1), ["body"], body="New")
    service.undo(confirm(), user=None, here=True)
    reasons = Post.history.order_by("history_id").values_list("history_change_reason", flat=True)
    assert list(reasons[1:]) == ["Bulk edit", "Undid: Bulk edit"]


def test_an_undo_says_that_it_left_alone_what_somebody_changed_since():
    change(administrator(), LIST, posts(1), ["body"], body="New")
    record = confirm()
    Post.objects.filter(body="New").update(body="Newer")
    undoing = service.undo(record, user=None, here=True)
    undoing.refresh_from_db()
    assert Report(undoing).message == "It was undone, but for what somebody changed since."


def test_the_same_values_again_are_nothing_to_change():
    made = posts(1)
    change(administrator(), LIST, made, ["body"], body="B")
    assert Report(Import.objects.get()).message == "Each object has these values already. There is nothing to change."


def test_all_of_a_filtered_list_are_changed_in_pages(monkeypatch):
    monkeypatch.setattr(bulk_admin, "PAGE", 2)
    posts(5)
    Post.objects.create(title="A", body="B")
    change(administrator(), f"{LIST}?q=T", [Post.objects.first()], ["body"], body="New", select_across="1")
    confirm()
    assert (Post.objects.filter(body="New").count(), Post.objects.get(title="A").body) == (5, "B")


def test_the_question_offers_the_fields_that_one_may_change():
    chosen = {"action": "change_chosen", "_selected_action": [str(posts(1)[0].pk)]}
    page = sign_in(*MAY).post(LIST, chosen)
    assert [row.name for row in page.context["rows"]] == ["title", "body", "user_id"]
    page = sign_in(*MAY[:-1], name="other").post(LIST, chosen)
    assert [row.name for row in page.context["rows"]] == ["title", "body"]


def test_a_value_that_cannot_be_is_named_and_nothing_begins():
    page = change(administrator(), LIST, posts(1), ["title", "user_id"], title=" ", user_id="x", body="kept")
    text = page.content.decode()
    assert "This field is required." in text
    assert "Enter a whole number." in text
    assert ">kept</textarea>" in text.replace("\n", "")
    assert not Import.objects.exists()


def test_without_a_field_the_page_asks_for_one():
    page = change(administrator(), LIST, posts(1), [], title="New")
    assert "tick the fields that get a new value" in page.content.decode()
    assert not Import.objects.exists()


@pytest.mark.parametrize("missing", ["news.change_post", "news.import_post"])
def test_it_needs_the_permissions_to_change_and_to_import(missing):
    made = posts(1)
    client = sign_in(*(permission for permission in MAY if permission != missing))
    change(client, LIST, made, ["title"], title="New")
    assert not Import.objects.exists()
    assert "change_chosen" not in client.get(LIST).content.decode()


def test_a_field_of_a_choice_a_number_and_a_parent_can_be_changed():
    orders = [Order.objects.create(product_name="Desk", quantity=1) for _ in range(2)]
    page = reverse("admin:orders_order_changelist")
    change(administrator(), page, orders, ["quantity", "status"], quantity="7", status="SHIPPED")
    confirm()
    assert set(Order.objects.values_list("quantity", "status")) == {(7, "SHIPPED")}
    Import.objects.all().delete()
    old, new = posts(2)
    comment = Comment.objects.create(post=old, name="N", email="reader@example.org", body="B")
    change(administrator(), reverse("admin:news_comment_changelist"), [comment], ["post"], post=str(new.pk))
    confirm()
    assert Comment.objects.get().post == new


def test_colors_are_written_as_a_form_takes_them():
    team = Team.objects.get(memberships__user=person("owner"))
    palette = Palette.objects.create(team=team, name="P", colors=[])
    page = reverse("admin:palettes_palette_changelist")
    change(administrator(), page, [palette], ["colors"], colors="#ff0000 #00ff00")
    confirm()
    assert Palette.objects.get().colors == ["#FF0000", "#00FF00"]
