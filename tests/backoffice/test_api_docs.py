"""The API's description and its two pages."""

import json
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
        assert {"405", "406", "429"} <= statuses
        assert ("404" in statuses) == ("{" in path)
        assert ("401" in statuses) == ("security" in operation or ("/token/" in path and "revoke" not in path))
        assert ("403" in statuses) == ("security" in operation)
        assert {"400", "413", "415", "422"} <= statuses or "requestBody" not in operation
        assert "422" in statuses or method == "get"
        assert any(status < "300" for status in statuses)


def test_what_is_only_for_the_signed_in_says_how(document):
    ways = {tuple(way) for _, _, operation in operations(document) for way in operation.get("security", [])}
    assert ways == {(name,) for name in document["components"]["securitySchemes"]}
    assert {path for path, _, operation in operations(document) if "security" not in operation} >= {"/api/token/"}


def test_errors_are_described_as_problems(document):
    described = document["components"]["responses"]
    for _, _, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status >= "400":
                assert answer == {"$ref": f"#/components/responses/Problem{status}"}
                assert described[f"Problem{status}"]["content"] == {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemOut"}}
                }
    assert document["components"]["schemas"]["ProblemOut"]["required"][:3] == ["type", "title", "status"]


def test_errors_name_the_headers_that_they_carry(document):
    described = document["components"]["responses"]
    for status, name in (("401", "WWW-Authenticate"), ("405", "Allow"), ("429", "Retry-After")):
        assert described[f"Problem{status}"]["headers"][name] == {"$ref": f"#/components/headers/{name}"}


def test_each_answer_names_the_version_and_the_request(document):
    described = document["components"]["responses"]
    for _, _, operation in operations(document):
        for status, answer in operation["responses"].items():
            headers = described[f"Problem{status}"]["headers"] if status >= "400" else answer["headers"]
            assert {"API-Version", "X-Request-ID"} <= {*headers}


def test_json_is_described_under_both_of_its_names(document):
    content = document["paths"]["/api/news/posts/{id}/"]["get"]["responses"]["200"]["content"]
    assert content["application/json"] == content["application/vnd.backoffice+json; version=1"]


def test_each_reference_leads_somewhere(document):
    text = json.dumps(document)
    for reference in {*re.findall(r'"\$ref": "#/([^"]+)"', text)}:
        found = document
        for name in reference.split("/"):
            found = found[name]


def test_writes_may_give_a_reason(document):
    reason = {"$ref": "#/components/parameters/X-Change-Reason"}
    for _, method, operation in operations(document):
        assert (reason in operation["parameters"]) == (method != "get")


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
    assert "default-src 'none'" in policy
    assert "http" not in policy


def test_redocs_script_asks_for_no_logo_of_its_maker():
    script = Client().get("/api/redoc.js")
    assert script["Content-Type"] == "text/javascript; charset=utf-8"
    assert b"Redoc" in script.content
    assert b"cdn.redoc.ly" not in script.content


@pytest.mark.parametrize("path", ["/api/docs", "/api/redoc", "/api/openapi.json"])
def test_the_pages_are_for_reading(path):
    answer = Client().generic("POST", path)
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("name", ["docs", "redoc"])
def test_the_usual_addresses_of_the_pages_lead_to_them(name):
    assert Client().get(f"/{name}")["Location"] == f"/api/{name}"
