"""Personal API keys: made and shown once, stored hashed, scoped, expiring, revocable; their last use is known."""

import asyncio
import json
import logging
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import IntegrityError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backoffice.accounts import keys
from backoffice.accounts.keys_admin import permission_choices
from backoffice.accounts.models import ApiKey, User
from backoffice.kit.jobs.models import Job
from backoffice.kit.jobs.service import start, work_here
from content.news.models import Post
from tests.backoffice.works import HERE
from tests.content.api_client import ApiClient, errors, make_user
from tests.content.pages import administrator, sign_in

pytestmark = [pytest.mark.law, pytest.mark.django_db]

KEYS = "/api/accounts/keys/"
ME = "/api/accounts/me/"
POSTS = "/api/news/posts/"
NEW_POST = {"title": "T", "body": "B"}
LIST = "admin:accounts_apikey_changelist"
ADD = "admin:accounts_apikey_add"


def in_days(days):
    return (timezone.now() + timedelta(days=days)).isoformat()


def make_key(user, *permissions, name="Report"):
    """A key of `user`, and the whole of it, which only its maker sees; without `permissions` it has full access."""
    key = ApiKey(user=user, name=name, expires=timezone.now() + timedelta(days=30))
    key.permissions, key.full_access = [*permissions], not permissions
    whole = key.seal()
    key.full_clean()
    key.save()
    return key, whole


def client_with(whole):
    return Client(headers={"Authorization": f"Bearer {whole}"})


def assert_refused(whole):
    answer = client_with(whole).get(POSTS)
    assert answer.status_code == 401
    errors(answer)


def everything_stored():
    """Every value in every table, as text."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            yield from (str(row) for row in cursor.fetchall())


@pytest.fixture
def editor():
    return make_user()


# --- made, shown once, stored hashed ----------------------------------------------------------------------------------
def test_a_key_is_shown_when_it_is_made_and_signs_its_owner_in(editor):
    answer = ApiClient(editor).send("POST", KEYS, {"name": "Report", "expires": in_days(30), "full_access": True})
    assert answer.status_code == 201
    made = answer.json()
    assert made["key"].startswith(f"bo_{made['prefix']}_")
    assert answer["Cache-Control"] == "no-store"
    assert client_with(made["key"]).post(POSTS, NEW_POST, content_type="application/json").status_code == 201
    assert Post.history.get().history_user == editor
    shown = ApiClient(editor).get(answer["Location"]).json()
    assert made | {"last_used_at": shown["last_used_at"]} == shown | {"key": made["key"]}


def test_the_secret_is_nowhere_in_the_database_nor_in_the_log(editor, caplog):
    caplog.set_level(logging.DEBUG)
    client = ApiClient(editor)
    client.defaults["HTTP_IDEMPOTENCY_KEY"] = "once"
    body = {"name": "Report", "expires": in_days(30), "permissions": ["news.add_post"]}
    whole = client.send("POST", KEYS, body).json()["key"]
    client_with(whole).post(POSTS, NEW_POST, content_type="application/json")
    client_with(whole).get("/api/nothing/")
    secret = whole.rpartition("_")[2]
    rows = list(everything_stored())
    assert any(whole.split("_")[1] in row for row in rows)
    assert not any(secret in row for row in rows)
    assert secret not in caplog.text


def test_only_a_key_that_is_right_in_every_letter_signs_in(editor):
    _, whole = make_key(editor)
    other = make_key(editor)[1]
    start, _, secret = whole.rpartition("_")
    wrong = [start, f"{start}_", f"{whole}0", whole.upper(), f"{start}_{other.rpartition('_')[2]}", secret, f"x{whole}"]
    for credential in [*wrong, f"bo_{'0' * 12}_{secret}", f"{start}_{'٣' * 64}"]:
        assert_refused(credential.encode().decode("latin-1"))
    assert client_with(whole).get(POSTS).status_code == 200


LEFT_OUT = object()


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"name": ""}, "name", ""),
        ({"name": "a\0b"}, "name", ""),
        ({"name": "x" * 65}, "name", ""),
        ({"expires": LEFT_OUT}, "expires", ""),
        ({"expires": None}, "expires", ""),
        ({"expires": in_days(-1)}, "expires", "at most 366 days ahead"),
        ({"expires": in_days(367)}, "expires", "at most 366 days ahead"),
        ({"expires": "2026-12-01T00:00:00"}, "expires", ""),
        ({"user": 1}, "user", ""),
        ({"full_access": LEFT_OUT}, "permissions", "Name at least one permission"),
        ({"full_access": LEFT_OUT, "permissions": []}, "permissions", "Name at least one permission"),
        ({"full_access": False, "permissions": []}, "permissions", "Name at least one permission"),
        ({"permissions": ["news.view_post"]}, "permissions", "names no permissions"),
        *(
            ({"full_access": False, "permissions": ["news.view_post", name]}, "permissions", "does not have")
            for name in ("accounts.add_user", "news.fly_post", "news", "")
        ),
    ],
)
def test_a_key_has_a_name_an_end_and_a_scope_within_its_owners(editor, fields, field, message):
    body = {"name": "A", "expires": in_days(1), "full_access": True, **fields}
    sent = {name: value for name, value in body.items() if value is not LEFT_OUT}
    answer = ApiClient(editor).send("POST", KEYS, sent)
    assert (answer.status_code, list(errors(answer))) == (422, [field])
    assert message in errors(answer)[field]
    assert not ApiKey.objects.exists()


def test_the_database_refuses_a_key_that_never_worked(editor):
    now = timezone.now()
    with pytest.raises(IntegrityError):
        ApiKey.objects.create(user=editor, name="A", prefix="0" * 12, digest="0", created=now, expires=now)


# --- ends -------------------------------------------------------------------------------------------------------------
def test_a_key_ends_by_time(editor):
    _, whole = make_key(editor)
    now = timezone.now()
    ApiKey.objects.update(created=now - timedelta(days=2), expires=now - timedelta(seconds=1))
    assert_refused(whole)


def test_a_revoked_key_is_refused_and_stays_on_the_list(editor):
    key, whole = make_key(editor)
    client = ApiClient(editor)
    assert client.delete(f"{KEYS}{key.pk}/").status_code == 204
    assert_refused(whole)
    revoked_at = client.get(KEYS).json()["items"][0]["revoked_at"]
    assert revoked_at is not None
    assert client.delete(f"{KEYS}{key.pk}/").status_code == 204
    assert client.get(f"{KEYS}{key.pk}/").json()["revoked_at"] == revoked_at


def test_a_key_does_not_work_while_its_owner_is_inactive(editor):
    _, whole = make_key(editor)
    User.objects.update(is_active=False)
    assert_refused(whole)


def test_a_new_password_leaves_keys_alone_and_names_those_that_work():
    user = make_user(password="correct-horse-battery")
    key, whole = make_key(user)
    revoked, _ = make_key(user, name="Old")
    keys.revoke(revoked)
    make_key(make_user("somebody"))
    body = {"old": "correct-horse-battery", "new": "another-horse-battery"}
    answer = ApiClient(user).send("POST", f"{ME}password/", body)
    assert [one["id"] for one in answer.json()["keys"]] == [key.pk]
    assert client_with(whole).get(POSTS).status_code == 200


# --- scope ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("is_superuser", [False, True])
def test_a_key_may_do_what_its_permissions_name_and_no_more(is_superuser):
    user = make_user(is_superuser=is_superuser)
    client = client_with(make_key(user, "news.view_post")[1])
    assert client.get(POSTS).status_code == 200
    assert client.post(POSTS, NEW_POST, content_type="application/json").status_code == 403
    assert client.get("/api/news/comments/").status_code == 403
    assert client.get(ME).json()["permissions"] == ["news.view_post"]


def test_a_key_with_full_access_may_do_all_that_its_owner_may(editor):
    client = client_with(make_key(editor)[1])
    assert client.post(POSTS, NEW_POST, content_type="application/json").status_code == 201
    assert set(client.get(ME).json()["permissions"]) == editor.get_all_permissions()


@pytest.mark.parametrize("is_superuser", [False, True])
def test_a_key_with_an_empty_list_may_do_nothing(is_superuser):
    key, whole = make_key(make_user(is_superuser=is_superuser))
    ApiKey.objects.filter(pk=key.pk).update(full_access=False)
    client = client_with(whole)
    assert client.get(POSTS).status_code == 403
    assert client.get(ME).json()["permissions"] == []
    job = start(f"{HERE}says_what_it_may", user=keys.user_of(whole), title="A task")
    work_here(Job.objects.get(pk=job.pk))
    assert Job.objects.get().result == {"may": []}


def test_a_key_never_has_what_its_owner_lost(editor):
    client = client_with(make_key(editor, "news.view_post", "news.add_post")[1])
    editor.user_permissions.remove(Permission.objects.get(codename="view_post"))
    assert client.get(ME).json()["permissions"] == ["news.add_post"]
    Permission.objects.filter(codename="add_post").delete()
    assert client.get(ME).json()["permissions"] == []


@pytest.mark.parametrize("is_superuser", [False, True])
def test_a_job_that_a_key_starts_may_do_no_more_than_the_key(is_superuser):
    user = make_user(is_superuser=is_superuser)
    user.scope = frozenset({"news.view_post"})
    job = start(f"{HERE}says_what_it_may", user=user, title="A task")
    work_here(Job.objects.get(pk=job.pk))  # as the worker, who has the row alone
    assert Job.objects.get().result == {"may": ["news.view_post"]}


def test_a_job_of_a_person_may_do_what_the_person_may(editor):
    job = start(f"{HERE}says_what_it_may", user=editor, title="A task", here=True)
    assert job.result == {"may": sorted(editor.get_all_permissions())}


def test_a_key_sees_jobs_of_its_own_scope_and_not_what_its_owner_did_with_more(editor):
    scopes = {"own": ["news.add_post", "news.view_post"], "wider": None, "other": ["news.delete_post"]}
    jobs = {}
    for name, scope in scopes.items():
        editor.scope = scope and frozenset(scope)
        jobs[name] = start(f"{HERE}writes_a_file", user=editor, title=name, arguments={"text": "x"}, here=True)
    keys_made = {name: client_with(make_key(User.objects.get(), *(scope or []))[1]) for name, scope in scopes.items()}
    assert seen(keys_made["own"], jobs) == ["own"]
    assert seen(keys_made["wider"], jobs) == ["own", "wider", "other"]


def seen(client, jobs):
    """The names of those `jobs` that `client` is shown; their files go with them."""
    found = []
    for name, job in jobs.items():
        statuses = set()
        for path in ("", "file/"):
            answer = client.get(f"/api/jobs/{job.pk}/{path}")
            statuses.add(answer.status_code)
            list(answer)  # a file is closed at its end
        assert statuses in ({200}, {404})
        if statuses == {200}:
            found.append(name)
    return found


def test_a_kept_answer_is_not_for_a_key_of_another_scope(editor):
    header = {"Idempotency-Key": "b1"}
    sent = ApiClient(editor).post(POSTS, NEW_POST, content_type="application/json", headers=header)
    again = ApiClient(editor).post(POSTS, NEW_POST, content_type="application/json", headers=header)
    limited = client_with(make_key(editor, "news.view_comment")[1])
    assert (sent.status_code, again["Idempotency-Replayed"]) == (201, "true")
    assert limited.post(POSTS, NEW_POST, content_type="application/json", headers=header).status_code == 403


@pytest.mark.parametrize("is_superuser", [False, True])
def test_every_check_of_permissions_respects_the_scope(is_superuser):
    user = make_user(is_superuser=is_superuser)
    user.scope = frozenset({"news.view_post"})
    both = ["news.view_post", "news.add_post"]
    assert [user.has_perm(name) for name in both] == [True, False]
    assert (user.has_perms(both), user.has_perms(both[:1])) == (False, True)
    assert (user.has_module_perms("news"), user.has_module_perms("accounts")) == (True, False)
    assert user.get_all_permissions() == {"news.view_post"}
    assert user.get_user_permissions() <= {"news.view_post"}
    assert user.get_group_permissions() <= {"news.view_post"}


@pytest.mark.parametrize("is_superuser", [False, True])
def test_every_asynchronous_check_respects_the_scope_too(is_superuser):
    # All that the user has is read before: SQLite in memory has one connection a thread.
    user = make_user(is_superuser=is_superuser)
    user.get_all_permissions(), user.get_user_permissions(), user.get_group_permissions()
    user.scope = frozenset({"news.view_post"})
    assert asyncio.run(user.ahas_perm("news.add_post")) is False
    assert asyncio.run(user.ahas_perm("news.view_post")) is True
    assert asyncio.run(user.ahas_perms(["news.add_post"])) is False
    assert asyncio.run(user.ahas_module_perms("accounts")) is False
    assert asyncio.run(user.ahas_module_perms("news")) is True
    for found in (user.aget_all_permissions, user.aget_user_permissions, user.aget_group_permissions):
        assert asyncio.run(found()) <= {"news.view_post"}


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", KEYS), ("POST", KEYS), ("GET", "one"), ("DELETE", "one"), ("PATCH", ME), ("POST", f"{ME}password/")],
)
def test_a_key_manages_neither_keys_nor_the_account(method, path):
    user = make_user(password="correct-horse-battery", is_superuser=True)
    key, whole = make_key(user)
    bodies = {
        KEYS: {"name": "A", "expires": in_days(1)},
        ME: {"email": "editor@example.com"},
        f"{ME}password/": {"old": "correct-horse-battery", "new": "another-horse-battery"},
    }
    address = f"{KEYS}{key.pk}/" if path == "one" else path
    body = bodies.get(path) if method in ("POST", "PATCH") else None
    client = client_with(whole)
    answer = client.generic(method, address, json.dumps(body) if body else b"", content_type="application/json")
    assert answer.status_code == 403
    assert "API key" in answer.json()["detail"]
    assert ApiKey.objects.get().revoked_at is None
    assert User.objects.get().check_password("correct-horse-battery")


def test_a_key_does_not_open_the_admin():
    user = make_user(is_superuser=True, is_staff=True)
    assert client_with(make_key(user)[1]).get(reverse("admin:index")).status_code == 302


# --- one's own --------------------------------------------------------------------------------------------------------
def test_keys_of_others_do_not_exist_at_the_api(editor):
    key, whole = make_key(make_user("somebody", is_superuser=True))
    chief = User.objects.create_superuser("chief")
    for user in (editor, chief):
        client = ApiClient(user)
        assert client.get(KEYS).json() == {"items": [], "next": None}
        assert client.get(f"{KEYS}{key.pk}/").status_code == 404
        assert client.delete(f"{KEYS}{key.pk}/").status_code == 404
    assert client_with(whole).get(POSTS).status_code == 200


def test_the_list_comes_in_pages_and_knows_its_parameters(editor):
    made = [make_key(editor, name=name)[0].pk for name in "ABC"]
    client = ApiClient(editor)
    first = client.get(KEYS, {"limit": 2}).json()
    rest = client.get(KEYS, {"limit": 2, "cursor": first["next"]}).json()
    assert [one["id"] for one in first["items"] + rest["items"]] == made[::-1]
    assert rest["next"] is None
    assert client.get(KEYS, {"user": 1}).status_code == 422


def test_nobody_makes_a_key_without_signing_in():
    body = {"name": "A", "expires": in_days(1)}
    assert Client().post(KEYS, body, content_type="application/json").status_code == 401


# --- last use ---------------------------------------------------------------------------------------------------------
def updates(client):
    with CaptureQueriesContext(connection) as found:
        assert client.get(POSTS).status_code == 200
    return [query["sql"] for query in found.captured_queries if "UPDATE" in query["sql"] and "apikey" in query["sql"]]


def test_the_last_use_is_written_at_most_once_a_minute(editor):
    client = client_with(make_key(editor)[1])
    assert len(updates(client)) == 1
    first = ApiKey.objects.get().last_used_at
    assert first
    assert timezone.now() - first < timedelta(minutes=1)
    assert updates(client) == []
    ApiKey.objects.update(last_used_at=first - timedelta(minutes=1))
    assert len(updates(client)) == 1
    assert ApiKey.objects.filter(last_used_at__gte=first).exists()


# --- the admin --------------------------------------------------------------------------------------------------------
def add(client, **fields):
    return client.post(reverse(ADD), {"name": "Report", "days": "30", **fields})


def test_the_staff_makes_keys_that_the_page_shows_once():
    client = sign_in("news.view_post")
    page = add(client, permissions=["news.view_post"])
    key = ApiKey.objects.get()
    whole = page.context["key"].secret
    assert whole in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert client_with(whole).get(POSTS).status_code == 200
    assert (key.user.username, key.permissions) == ("editor", ["news.view_post"])
    secret = whole.rpartition("_")[2]
    for address in (reverse(LIST), reverse("admin:accounts_apikey_change", args=[key.pk])):
        text = client.get(address).content.decode()
        assert key.prefix in text
        assert secret not in text
        assert key.digest not in text
    assert LogEntry.objects.get().object_repr == f"Report (bo_{key.prefix}…)"
    assert not any(secret in row for row in everything_stored())


def test_the_form_offers_just_what_the_person_may():
    client = sign_in("news.view_post", "news.add_comment")
    choices = permission_choices(User.objects.get())
    assert [group for group in choices if not group[0].startswith("Palettes")] == [  # which everybody may use
        ("News · comment", [("news.add_comment", "Can add comment")]),
        ("News · post", [("news.view_post", "Can view post")]),
    ]
    assert "Can view post" in client.get(reverse(ADD)).content.decode()
    assert add(client, permissions=["news.delete_post"]).status_code == 200
    assert add(client, days="3660").status_code == 200
    assert not ApiKey.objects.exists()


def test_the_form_asks_for_permissions_or_full_access():
    client = sign_in("news.view_post")
    for fields in ({}, {"permissions": ["news.view_post"], "full_access": "on"}):
        assert list(add(client, **fields).context["adminform"].form.errors) == ["permissions"]
    assert not ApiKey.objects.exists()
    add(client, full_access="on")
    assert "all that its owner may" in client.get(reverse(LIST)).content.decode()
    assert (ApiKey.objects.get().full_access, ApiKey.objects.get().permissions) == (True, [])


def test_in_the_admin_keys_of_others_need_a_permission():
    key, whole = make_key(make_user("somebody"))
    page = reverse("admin:accounts_apikey_change", args=[key.pk])
    revoke = reverse("admin:accounts_apikey_revoke", args=[key.pk])
    stranger = sign_in()
    assert key.prefix not in stranger.get(reverse(LIST)).content.decode()
    assert stranger.get(page).status_code == 302
    assert stranger.post(revoke).status_code == 404

    reader = sign_in("accounts.view_apikey", name="reader")
    assert key.prefix in reader.get(reverse(LIST)).content.decode()
    assert revoke not in reader.get(page).content.decode()
    assert reader.post(revoke).status_code == 403
    assert client_with(whole).get(POSTS).status_code == 200

    keeper = sign_in("accounts.change_apikey", name="keeper")
    assert revoke in keeper.get(page).content.decode()
    assert keeper.get(revoke).status_code == 405
    assert keeper.post(revoke).status_code == 302
    assert_refused(whole)
    assert LogEntry.objects.get().user.username == "keeper"


def test_the_staff_revokes_its_own_keys():
    client = sign_in()
    key, whole = make_key(User.objects.get())
    assert client.post(reverse("admin:accounts_apikey_revoke", args=[key.pk])).status_code == 302
    assert_refused(whole)
    assert "revoked" in client.get(reverse(LIST)).content.decode()


def test_a_key_is_not_edited_in_the_admin(editor):
    key, _ = make_key(editor)
    client = administrator()
    page = reverse("admin:accounts_apikey_change", args=[key.pk])
    assert client.post(page, {"name": "Other", "days": "30"}).status_code == 403
    assert ApiKey.objects.get().name == "Report"


def test_the_page_of_a_user_lists_their_keys(editor):
    key, _ = make_key(editor, name="Nightly")
    page = administrator().get(reverse("admin:accounts_user_change", args=[editor.pk])).content.decode()
    assert "Nightly" in page
    assert key.digest not in page


def test_a_form_that_does_not_count_the_keys_is_refused_on_the_page_of_the_user(editor):
    page = reverse("admin:accounts_user_change", args=[editor.pk])
    form = {"username": "other", "keys-INITIAL_FORMS": "x", "keys-TOTAL_FORMS": "1"}
    assert administrator().post(page, form).status_code == 200
    assert User.objects.get(pk=editor.pk).username == editor.username
