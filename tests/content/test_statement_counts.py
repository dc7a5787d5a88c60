"""How many statements a request or a save takes: what is counted here is what each of them costs the database."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from content.news.models import Comment, Post
from content.orders.models import Order
from tests.content.api_client import ApiClient, make_user

pytestmark = pytest.mark.django_db(transaction=True)

ACCOUNT, TRANSACTION = 1, 2  # the account with its permissions; the begin and the end of a transaction
POST, ORDER = {"title": "T", "body": "B"}, {"product_name": "Desk", "quantity": 5}
CHANGED = ORDER | {"quantity": 6}


@pytest.mark.parametrize(
    ("method", "path", "body", "statements"),
    [
        pytest.param("GET", "/api/news/posts/", None, ACCOUNT + 1, id="list"),
        pytest.param("GET", "/api/news/posts/?limit=1&user_id=5&sort=title", None, ACCOUNT + 1, id="filtered list"),
        pytest.param("GET", "/api/news/posts/{post}/", None, ACCOUNT + 1, id="object"),
        pytest.param("GET", "/api/news/posts/{post}/comments/", None, ACCOUNT + 2, id="list below a parent"),
        pytest.param("POST", "/api/news/posts/", POST, ACCOUNT + TRANSACTION + 2, id="create"),
        pytest.param("PATCH", "/api/news/posts/{post}/", {"title": "U"}, ACCOUNT + TRANSACTION + 3, id="change"),
        pytest.param("PATCH", "/api/news/posts/{post}/", {"title": "T"}, ACCOUNT + TRANSACTION + 2, id="no change"),
        pytest.param("PUT", "/api/news/posts/{post}/", POST | {"body": "C"}, ACCOUNT + TRANSACTION + 3, id="replace"),
        pytest.param("DELETE", "/api/news/posts/{post}/", None, ACCOUNT + TRANSACTION + 3, id="delete"),
        pytest.param("POST", "/api/orders/", ORDER, ACCOUNT + TRANSACTION + 2, id="create, key of ours"),
        pytest.param("PUT", "/api/orders/{new}/", ORDER, ACCOUNT + TRANSACTION + 5, id="create, key of the caller"),
        pytest.param(
            "PUT",
            "/api/orders/{order}/",
            ORDER | {"quantity": 6},
            ACCOUNT + TRANSACTION + 3,
            id="replace, key of caller",
        ),
    ],
)
def test_a_request_takes_so_many_statements(method, path, body, statements):
    user = make_user()
    user.user_permissions.add(*Permission.objects.filter(content_type__app_label="orders"))
    api = ApiClient(user)
    post, order = Post.objects.create(**POST), Order.objects.create(**ORDER)
    Comment.objects.create(post=post, name="N", email="a@example.com", body="B")
    address = path.format(post=post.pk, order=order.pk, new=uuid4())
    api.get(address)  # the first request of a connection also prepares the account's statement
    with CaptureQueriesContext(connection) as queries:
        response = api.send(method, address, body) if body else api.generic(method, address)
    assert response.status_code < 300, response.content
    assert len(queries) == statements, [query["sql"] for query in queries]


def test_a_save_takes_one_statement():
    post = Post(**POST)
    with CaptureQueriesContext(connection) as created:
        post.full_clean()
        post.save()
    post.title = "U"
    with CaptureQueriesContext(connection) as changed:
        post.full_clean()
        post.save()
    assert (len(created), len(changed)) == (1, 1), [*created, *changed]
