"""How an account begins, and what its owner may change of it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from backoffice.accounts.models import User
from backoffice.kit.sessions import tokens
from tests.backoffice.test_api_keys import everything_stored
from tests.content.api_client import ApiClient, errors, make_user
from tests.content.locks import blocked_sessions
from tests.content.pages import sign_in
from tests.flows.wait import until

pytestmark = pytest.mark.django_db

USERS = "/api/accounts/users/"
ME = "/api/accounts/me/"
PASSWORD = "correct-horse-battery"
NEW = {"username": "reader", "password": PASSWORD}


@pytest.fixture
def open_to_all(settings):
    settings.OPEN_REGISTRATION = True


@pytest.fixture
def keeper():
    sign_in("accounts.add_user", name="keeper")
    return ApiClient(User.objects.get())


def register(client=None, **fields):
    return (client or Client()).post(USERS, {**NEW, **fields}, content_type="application/json")


# --- who may register -------------------------------------------------------------------------------------------------
def test_without_the_setting_only_whoever_may_add_users_registers_one(keeper):
    assert register().status_code == 401
    refused = register(ApiClient(make_user()))
    assert (refused.status_code, "accounts.add_user" in refused.json()["detail"]) == (403, True)
    assert not User.objects.filter(username="reader").exists()
    assert register(keeper).status_code == 201
    assert User.objects.filter(username="reader").exists()


def test_registration_is_closed_unless_the_node_opens_it(settings):
    assert settings.OPEN_REGISTRATION is False


def test_with_the_setting_anybody_registers(open_to_all):
    answer = register(email="reader@EXAMPLE.com")
    assert (answer.status_code, answer.json()) == (201, {"username": "reader", "email": "reader@example.com"})


def test_a_wrong_sign_in_is_not_a_stranger(open_to_all):
    assert register(Client(headers={"Authorization": "Bearer x"})).status_code == 401
    assert register(ApiClient(make_user())).status_code == 403


def test_a_registered_user_signs_in_and_was_given_no_permission(open_to_all):
    register()
    user = User.objects.get()
    assert (user.is_active, user.is_staff, user.is_superuser) == (True, False, False)
    assert not user.user_permissions.exists()
    assert not user.groups.exists()
    tokens = Client().post("/api/token/", NEW, content_type="application/json").json()
    client = Client(headers={"Authorization": f"Bearer {tokens['access']}"})
    assert client.get(ME).json()["username"] == "reader"
    assert client.get("/api/news/posts/").status_code == 403


@pytest.mark.parametrize("field", ["is_staff", "is_superuser", "groups", "user_permissions", "id", "folded"])
def test_nobody_registers_more_than_a_name(open_to_all, field):
    answer = register(**{field: True})
    assert (answer.status_code, list(errors(answer))) == (422, [field])


# --- what is registered -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("password", ["", "short", "12345678901", "password123", "reader-reader", "pass\0word-of-mine"])
def test_a_password_passes_the_validators(open_to_all, password):
    answer = register(username="reader-reader", password=password)
    assert (answer.status_code, list(dict.fromkeys(errors(answer)))) == (422, ["password"])
    assert not User.objects.exists()


def test_a_password_is_nowhere_in_the_database_nor_in_the_log(open_to_all, caplog):
    client = Client(headers={"Idempotency-Key": "once"})
    assert register(client).status_code == 201
    assert not any(PASSWORD in row for row in everything_stored())
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"username": ""}, "username"),
        ({"username": "two words"}, "username"),
        ({"username": "x" * 151}, "username"),
        ({"username": "a\0b"}, "username"),
        ({"email": "nobody"}, "email"),
        ({"email": f"{'x' * 250}@example.com"}, "email"),
    ],
    ids=str,
)
def test_a_name_or_address_that_cannot_be_is_named(open_to_all, fields, field):
    answer = register(**fields)
    assert (answer.status_code, list(errors(answer))) == (422, [field])


SAME = [("reader", "READER"), ("Ünal", "üNAL"), ("straße", "STRASSE"), ("reader", "\uff52eader"), ("ΣΔΣ", "σδς")]


@pytest.mark.parametrize(("first", "second"), [("reader", "reader"), *SAME])
def test_a_name_that_is_taken_is_a_conflict_whatever_its_case(open_to_all, first, second):
    assert register(username=first).status_code == 201
    answer = register(username=second)
    assert (answer.status_code, list(errors(answer))) == (409, ["username"])
    assert PASSWORD not in answer.content.decode()
    assert User.objects.count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_one_name_at_once_the_later_one_is_refused(open_to_all):
    def send():
        try:
            return register()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            User.objects.create_user("READER")
            answer = pool.submit(send)
            until(blocked_sessions)
        assert answer.result(timeout=120).status_code == 409
    assert [user.username for user in User.objects.all()] == ["READER"]


@pytest.mark.parametrize(("first", "second"), SAME)
def test_the_database_keeps_names_apart_too(first, second):
    User.objects.create_user(first)
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user(second)
    other = User.objects.create_user("other")
    other.username = second
    with pytest.raises(IntegrityError), transaction.atomic():
        other.save(update_fields=["username"])
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.bulk_create([User(username="third")])  # no folded name


def test_the_admin_keeps_names_apart_with_an_error_of_the_field():
    client = sign_in("accounts.view_user", "accounts.change_user", name="Straße")
    other = User.objects.create_user("other", email="other@example.com")
    page = reverse("admin:accounts_user_change", args=[other.pk])
    form = client.get(page).context["adminform"].form
    fields = {name: form[name].value() or "" for name in form.fields if name not in ("password",)}
    fields |= {
        "date_joined_0": "2026-01-01",
        "date_joined_1": "10:00:00",
        "roles": [],
        "groups": [],
        "user_permissions": [],
    }
    fields.pop("date_joined", None)
    inline = {"keys-TOTAL_FORMS": "0", "keys-INITIAL_FORMS": "0"}
    answer = client.post(page, {**fields, **inline, "username": "STRASSE"})
    assert list(answer.context["adminform"].form.errors) == ["username"]
    other.refresh_from_db()
    assert other.username == "other"


# --- one's own account ------------------------------------------------------------------------------------------------
def test_everybody_sees_their_own_account():
    user = make_user(permissions=["view_post"], email="editor@example.com", is_staff=True)
    assert ApiClient(user).get(ME).json() == {
        "username": "editor",
        "email": "editor@example.com",
        "first_name": "",
        "last_name": "",
        "is_staff": True,
        "permissions": sorted(user.get_all_permissions()),
    }
    assert "news.view_post" in user.get_all_permissions()
    assert Client().get(ME).status_code == 401


def test_one_changes_names_and_address_and_what_is_not_named_stays():
    user = make_user(email="editor@example.com")
    answer = ApiClient(user).send("PATCH", ME, {"first_name": "Night", "last_name": "Desk"})
    assert (answer.status_code, answer.json()["first_name"], answer.json()["last_name"]) == (200, "Night", "Desk")
    answer = ApiClient(user).send("PATCH", ME, {"email": "Night@EXAMPLE.com"})
    assert answer.json()["email"] == "Night@example.com"
    user.refresh_from_db()
    assert (user.first_name, user.email) == ("Night", "Night@example.com")
    assert ApiClient(user).send("PATCH", ME, {}).status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "chief"), ("is_staff", True), ("is_superuser", True), ("permissions", []), ("password", "x"),
        ("email", "nobody"), ("email", None), ("first_name", "x" * 151), ("first_name", "a\0b"), ("last_name", 1),
    ],
)  # fmt: skip
def test_nothing_else_of_an_account_is_its_owners_to_change(field, value):
    user = make_user()
    answer = ApiClient(user).send("PATCH", ME, {field: value})
    assert (answer.status_code, list(errors(answer))) == (422, [field])


def change_password(client, old=PASSWORD, new="another-horse-battery", **headers):
    body = {"old": old, "new": new}
    return client.post(f"{ME}password/", body, content_type="application/json", headers=headers)


def test_a_new_password_ends_the_old_one_and_its_tokens():
    user = make_user(password=PASSWORD)
    client = ApiClient(user)
    answer = change_password(client)
    assert (answer.status_code, answer.json()) == (200, {"keys": []})
    assert client.get(ME).status_code == 401
    user.refresh_from_db()
    assert user.check_password("another-horse-battery")


def test_the_session_that_changes_the_password_stays():
    user = make_user(password=PASSWORD)
    client, other = Client(), Client()
    client.force_login(user)
    other.force_login(user)
    assert change_password(client).status_code == 200
    assert client.get(ME).status_code == 200
    assert other.get(ME).status_code == 401


def test_a_program_that_changes_the_password_gets_no_session():
    user = make_user(password=PASSWORD)
    answer = change_password(Client(), Authorization=f"Bearer {tokens.begin(user).access}")
    assert answer.status_code == 200
    assert not answer.cookies


@pytest.mark.parametrize(
    ("old", "new", "field"), [("wrong", "another-horse-battery", "old"), (PASSWORD, "short", "new")]
)
def test_a_wrong_or_a_weak_password_changes_nothing(old, new, field):
    user = make_user(password=PASSWORD)
    answer = change_password(ApiClient(user), old, new)
    assert (answer.status_code, list(dict.fromkeys(errors(answer)))) == (422, [field])
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
