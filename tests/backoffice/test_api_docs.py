"""The API's description and its two pages."""

import re

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

METHODS = {
    "/api/news/posts/": "get post",
    "/api/news/posts/{id}/": "get put patch delete",
    "/api/news/posts/{id}/comments/": "get post",
    "/api/news/comments/": "get post",
    "/api/news/comments/{id}/": "get put patch delete",
    "/api/token/": "post",
    "/api/token/refresh/": "post",
    "/api/token/verify/": "post",
}


@pytest.fixture(scope="module")
def document():
    return Client().get("/api/openapi.json").json()


def operations(document):
    return [(path, method, op) for path, ops in document["paths"].items() for method, op in ops.items()]


def test_the_description_holds_every_address(document):
    described = {path: " ".join(methods) for path, methods in document["paths"].items()}
    assert {path: described[path] for path in METHODS} == METHODS


def test_each_operation_has_a_name_of_its_own_a_summary_and_a_tag(document):
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    assert all(operation["summary"] and operation["tags"] for _, _, operation in operations(document))


def test_each_operation_names_its_answers(document):
    for path, method, operation in operations(document):
        statuses = {*operation["responses"]}
        if "/token/" in path:
            assert statuses == {"200", "400", "401", "415", "422"}
            continue
        success = {"post": "201", "delete": "204"}.get(method, "200")
        assert {success, "401", "403"} <= statuses
        assert ("404" in statuses) == ("{id}" in path)
        assert ("415" in statuses) == ("requestBody" in operation)
        assert ("422" in statuses) == (method != "delete")
        assert operation["security"] == [{"TokenAuth": []}, {"BasicAuth": []}, {"SessionAuth": []}]


def test_errors_are_described_as_problems(document):
    for _, _, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status >= "400":
                assert answer["content"] == {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemOut"}}
                }


def test_shapes_are_those_of_the_answers(document):
    schemas = document["components"]["schemas"]
    assert schemas["Post"]["required"] == ["id", "user_id", "title", "body"]
    assert schemas["Comment"]["required"] == ["id", "post", "name", "email", "body"]
    assert schemas["PostCreate"]["required"] == ["title", "body"]
    assert schemas["PostCreate"]["additionalProperties"] is False
    assert schemas["PostCreate"]["properties"]["title"]["maxLength"] == 256


@pytest.mark.parametrize("path", ["/api/docs", "/api/redoc", "/api/docs/", "/api/redoc/"])
def test_the_pages_need_nothing_from_outside(path):
    answer = Client().get(path)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "/api/openapi.json" in page
    assert not re.findall(r"(?:https?:)?//[\w.-]+\.\w+", page)
    files = re.findall(r'(?:src|href)="/static/([^"]+)"', page)
    assert any(file.endswith(".js") for file in files)
    assert all(finders.find(file) for file in files)
    assert "redoc" in path or '"validatorUrl": null' in page
    # The scripts know hosts of their makers; the browser is told to ask none of them.
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy
