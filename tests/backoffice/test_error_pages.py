"""Errors are pages in the site's own dress, which ask no database and lead on; the API's stay problems."""

import re

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backoffice import errors
from tests.content.pages import administrator, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser():
    """Nobody's, which gets the page of a crash as people do."""
    return Client(raise_request_exception=False)


def words(answer):
    return re.sub(r"\s+", " ", answer.content.decode())


@pytest.mark.parametrize(
    ("path", "status"), [("/nowhere/", 404), ("/admin/nowhere/", 404), ("/admin/news/post/0/change/", 302)]
)
def test_an_address_with_nothing_is_answered_for_somebody_signed_in(path, status):
    answer = administrator().get(path)
    assert answer.status_code == status
    if status == 404:
        assert "There is nothing here" in words(answer)
        assert f'href="{reverse("admin:index")}"' in words(answer)
        assert "Sign in" not in words(answer)


def test_whoever_is_not_signed_in_is_offered_it_and_comes_back(browser):
    answer = browser.get("/nowhere/?a=1&b=2")
    assert 'href="/admin/login/?next=%2Fnowhere%2F%3Fa%3D1%26b%3D2"' in words(answer)


def test_the_page_before_is_one_click_away_if_it_is_of_this_site(browser):
    def before(referer):
        return "Back to the page before" in words(browser.get("/nowhere/", headers={"referer": referer}))

    assert before("http://testserver/admin/news/post/?q=a")
    assert not before("http://elsewhere.example/admin/")
    assert not before("http://testserver/nowhere/")


def test_what_a_permission_forbids_is_told_by_its_name():
    answer = sign_in("news.view_post").post("/admin/news/post/add/")
    assert (answer.status_code, "You may not do this" in words(answer)) == (403, True)


def test_a_page_that_takes_other_methods_only_says_so_and_names_them():
    target = reverse("admin:syncer_target_sync_all")
    answer = administrator().get(target)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "This address is not for opening" in words(answer)


@pytest.mark.parametrize(("size", "status"), [(10, 302), (3_000_000, 413)])
def test_a_form_that_is_too_large_is_answered_with_413(size, status):
    answer = administrator().post("/admin/news/post/add/", {"title": "T", "body": "B", "_more": "x" * size})
    assert answer.status_code == (200 if status == 302 else status)


def test_a_form_without_its_token_is_told_how_to_go_on(admin_user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    answer = client.post(
        "/admin/news/post/add/", {"title": "T"}, headers={"referer": "http://testserver/admin/news/post/add/"}
    )
    assert (answer.status_code, "This form is out of date" in words(answer)) == (403, True)
    assert 'href="/admin/news/post/add/"' in words(answer)


@pytest.mark.parametrize("status", errors.WORDS)
def test_a_page_of_an_error_makes_no_query_and_holds_no_script(rf, status):
    request = rf.get("/somewhere/")
    with CaptureQueriesContext(connection) as found:
        answer = errors.page(request, status)
    assert (len(found), answer.status_code) == (0, status)
    assert "<script>" not in words(answer)
    assert str(errors.WORDS[status].title).replace("'", "&#x27;") in words(answer)


def test_content_in_a_message_is_escaped(rf):
    assert "<b>" not in words(errors.permission_denied(rf.get("/"), PermissionDenied("<b>")))


def test_a_crash_names_its_request_for_whoever_reads_the_log(rf):
    request = rf.get("/")
    request.request_id = "abc-1"
    assert "request abc-1" in words(errors.page(request, 500))
