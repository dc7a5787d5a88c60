"""What a route sends of an object: other words, formats, constants, computed fields, and what can't be sent."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from content.news.models import Comment, Post
from content.orders.models import Order
from syncer.core.decide import Action
from syncer.models import Binding, Route
from syncer.models.keys import key_of
from syncer.models.routemap import RouteMap
from syncer.reports.preview import preview
from syncer.targets.rest.payload import load
from tests.remote import Fault
from tests.syncer.conftest import sync
from tests.syncer.support import binding_of, computing, let_time_pass

pytestmark = pytest.mark.django_db(transaction=True)

KEY = UUID("0a2e7c52-94a8-4f5b-9d0e-3f1f6f9f7a10")


@pytest.fixture
def order():
    at = datetime(2026, 11, 29, 12, 30, tzinfo=UTC)
    return Order.objects.create(id=KEY, product_name="Lamp", quantity=3, status="DELIVERED", created_at=at)


def route_of(target, model, **columns):
    """The target's route of the model, with these columns; it is made if there is none yet."""
    defaults = {"path": f"/{model._meta.model_name}s", **columns}
    return Route.objects.update_or_create(target=target, model=model._meta.label, defaults=defaults)[0]


def wanted(target, obj):
    """The object as it is to be at the target."""
    routes = RouteMap(target)
    route = next(route for route in routes.ordered if route.model == obj._meta.label)
    key = key_of(type(obj), obj.pk)
    return load(routes, route, [key])[key]


@pytest.fixture
def numbered():
    """Posts have a computed field that fails for titles that are not numbers, and one whose result can't be sent."""

    def page(title: str) -> int:
        return int(title)

    def strange(body: str) -> object:
        return {"nul": "\0", "set": {1}, "tuple": (1, 2), "day": datetime(2026, 11, 29, tzinfo=UTC)}[body]

    with computing(Post, page=page, strange=strange):
        yield


def test_words_formats_constants_and_nested_names_make_a_flat_payload(target, order):
    route_of(
        target,
        Order,
        fields={
            "attributes.title": "product_name",
            "attributes.pieces": "quantity",
            "attributes.state": "status",
            "attributes.day": "created_at",
        },
        constants={"type": "orders", "attributes.tags": []},
        values={"attributes.state": {"DELIVERED": "completed", "PENDING": "new"}},
        formats={"attributes.pieces": "text", "attributes.day": "date"},
        own_id="id",
    )
    assert wanted(target, order).payload == {
        "attributes.title": "Lamp",
        "attributes.pieces": "3",
        "attributes.state": "completed",
        "attributes.day": "2026-11-29",
        "type": "orders",
        "attributes.tags": [],
    }
    assert wanted(target, order).own_id == f'"{KEY}"'


def test_a_value_without_another_word_is_sent_as_it_is_and_in_its_format(target, order):
    words = {"n": {"4": "four"}, "s": {"PENDING": "new"}}
    route_of(target, Order, fields={"n": "quantity", "s": "status"}, values=words, formats={"n": "text"})
    assert wanted(target, order).payload == {"n": "3", "s": "DELIVERED"}
    order.quantity = 4
    order.save()
    assert wanted(target, order).payload == {"n": "four", "s": "DELIVERED"}


def test_the_remote_id_of_a_parent_is_sent_as_text(remote, target, post):
    Comment.objects.create(post=post, name="N", email="n@example.com", body="B")
    fields = {"postId": "post", "name": "name", "parent": "post"}
    route_of(target, Comment, path="/comments", fields=fields, formats={"parent": "text"}, lookup=[])
    sync(target)
    [comment] = remote.records("/comments").values()
    assert (comment["postId"], comment["parent"]) == (1, "1")


def test_a_computed_field_is_sent_and_follows_the_field_that_it_is_made_from(remote, target, synced):
    route_of(target, Post, path="/posts", fields={"title": "title", "slug": "slug"})
    sync(target)
    assert remote.records("/posts")[1]["slug"] == "a"
    Post.objects.update(title="Opening hours")
    sync(target)
    assert remote.records("/posts")[1]["slug"] == "opening-hours"


def test_a_path_for_new_records_may_hold_a_computed_field(remote, target, post):
    route_of(target, Post, path="/posts", create_path="/{slug}", fields={"title": "title", "slug": "slug"})
    Post.objects.update(title="Opening hours")
    sync(target)
    assert len(remote.records("/opening-hours")) == 1


def test_a_value_that_would_lead_to_another_path_is_rejected(remote, target, post):
    route_of(target, Post, path="/posts", create_path="/{title}", fields={"title": "title"})
    Post.objects.update(title="../posts")
    sync(target)
    assert remote.writes() == []
    assert binding_of(post).reason == (
        "'{title}' in the path for new records needs a number, or a text without '/'. Edit title, or change the "
        'route\'s create_path. Value: "../posts"'
    )


@pytest.mark.parametrize(
    ("name", "body", "why"),
    [
        ("page", "B", "'page' can't be computed. Edit title, or correct the function in the domain's sync.py. Error: "),
        ("page", "B", """ Error: ValueError("invalid literal for int() with base 10: 'A'")"""),
        ("strange", "nul", "'strange' can't be computed. Edit body, or correct the function"),
        ("strange", "set", "'strange' can't be computed. Edit body, or correct the function"),
        ("strange", "unknown", "'strange' can't be computed. Edit body, or correct the function"),
    ],
)
def test_an_object_whose_computed_field_fails_is_rejected_and_the_others_go_on(
    remote, target, post, numbered, name, body, why
):
    Post.objects.update(body=body)
    good = Post.objects.create(title="5", body="tuple")
    route_of(target, Post, path="/posts", fields={"title": "title", "what": name})
    run = sync(target)
    assert [record["title"] for record in remote.records("/posts").values()] == ["5"]
    assert why in binding_of(post).reason
    assert (binding_of(post).rejected, binding_of(good).rejected) == (binding_of(post).wanted, None)
    assert "1 rejected" in run.message
    sync(target)
    assert len(remote.writes()) == 1


def test_what_a_computed_field_returns_is_sent_as_json_and_compares_equal(remote, target, numbered):
    Post.objects.create(title="5", body="tuple")
    Post.objects.create(title="6", body="day")
    route_of(target, Post, path="/posts", fields={"title": "title", "what": "strange"})
    sync(target)
    sent = {record["title"]: record["what"] for record in remote.records("/posts").values()}
    assert sent == {"5": [1, 2], "6": "2026-11-29T00:00:00+00:00"}
    Route.objects.update(mark="", fingerprint="")
    sync(target)
    assert len(remote.writes()) == 2


def test_a_text_that_its_format_can_not_write_is_rejected_until_it_is_edited(remote, target, synced):
    Route.objects.filter(model="news.Post").update(formats={"title": "number"})
    why = """'title' can't be sent as 'number'. Edit title, or change the route's formats. Value: "A\""""
    [planned] = preview(target)
    assert (planned.action, planned.record, planned.fields) == (Action.REJECT, "1", {"reason": (None, why)})
    sync(target)
    assert remote.writes() == []
    assert binding_of(synced).reason == why
    Post.objects.update(title="7.50")
    sync(target)
    assert remote.records("/posts")[1]["title"] == 7.5


def test_an_object_that_can_not_be_sent_is_deleted_all_the_same(remote, target, synced):
    Route.objects.filter(model="news.Post").update(formats={"title": "number"})
    sync(target)
    synced.delete()
    sync(target)
    assert remote.records("/posts") == {}


def test_an_unanswered_create_is_settled_before_its_object_is_rejected(remote, target, post):
    remote.fault(Fault.RESET, method="POST", act=True)
    sync(target)
    Route.objects.filter(model="news.Post").update(formats={"body": "number"})
    let_time_pass()
    sync(target)
    binding = binding_of(post)
    assert (binding.remote_id, binding.create_body, binding.rejected) == ("1", None, binding.wanted)
    assert len(remote.records("/posts")) == 1


def test_an_empty_id_of_ours_is_not_sent(target, order):
    route_of(target, Order, fields={"n": "quantity"}, own_id="product_name")
    Order.objects.update(product_name="..")
    fault = wanted(target, order).fault
    assert fault.startswith("'product_name' can't be the record's id: ")
    assert fault.endswith(' Value: ".."')


def test_a_first_load_reads_words_and_formats_back_and_leaves_computed_fields(remote, target):
    route_of(
        target,
        Order,
        path="/orders",
        fields={"name": "product_name", "n": "quantity", "state": "status", "at": "created_at"},
        constants={"type": "order"},
        values={"state": {"DELIVERED": "completed", "PENDING": "new"}},
        formats={"n": "text", "at": "epoch"},
        id_field="key",
    )
    fields = {"userId": "user_id", "title": "title", "body": "body", "slug": "slug"}
    route_of(target, Post, path="/posts", fields=fields)
    record = {"key": str(KEY), "name": "Lamp", "n": "3", "state": "completed", "at": 1795955400, "type": "order"}
    remote.store.create("orders", record)
    remote.store.create("posts", {"userId": 1, "title": "Opening hours", "body": "B", "slug": "opening-hours"})
    call_command("sync_import", "fakeapi")
    loaded = Order.objects.values_list("pk", "product_name", "quantity", "status", "created_at").get()
    assert loaded == (KEY, "Lamp", 3, "DELIVERED", datetime(2026, 11, 29, 12, 30, tzinfo=UTC))
    sync(target)
    assert remote.writes() == []
    assert Binding.objects.count() == 2


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"values": {"title": {"A": "x", "B": "x"}}}, 'title "x" stands for several values: A, B'),
        ({"formats": {"title": "sql"}}, """title "x" is not in the format 'sql'"""),
    ],
    ids=["words", "format"],
)
def test_a_first_load_refuses_what_it_can_not_read_back(remote, target, columns, why):
    Route.objects.filter(model="news.Post").update(**columns)
    remote.store.create("posts", {"userId": 1, "title": "x", "body": "B"})
    with pytest.raises(CommandError, match=why):
        call_command("sync_import", "fakeapi")
    assert not Post.objects.exists()
