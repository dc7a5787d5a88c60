"""Each act on accounts, groups, permissions and keys leaves exactly one entry, by whichever entry point."""

from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from backoffice.accounts.models import ApiKey, User
from backoffice.kit.audit.models import Entry
from tests.content.api_client import ApiClient
from tests.content.pages import administrator, form_of, sign_in

pytestmark = pytest.mark.django_db
PASSWORD, OTHER = "correct-horse-battery", "another-horse-battery"


@pytest.fixture(autouse=True)
def environment(monkeypatch, settings):
    settings.OPEN_REGISTRATION = False
    monkeypatch.setenv("BACKOFFICE_ADMIN_PASSWORD", OTHER)
    monkeypatch.setenv("CLIENT_PASSWORD", OTHER)


def person(name="person", **values):
    return User.objects.create_user(name, password=PASSWORD, is_staff=True, **values)


def permission():
    return Permission.objects.get(codename="view_post")


def submit(client, address, form, **changes):
    assert client.post(address, form_of(client.get(address), form) | changes).status_code == 302


def account_page(account, **changes):
    submit(administrator(), reverse("admin:accounts_user_change", args=[account.pk]), "user_form", **changes)


def api(account, method, path, body=None):
    answer = ApiClient(account).send(method, f"/api/accounts{path}", body)
    assert answer.status_code < 300, answer.content


def command(command_name, *args, **options):
    call_command(command_name, *args, stdout=StringIO(), **options)


# --- each takes an account that is there already, and does one act ---------------------------------------------------
def admin_create(account):
    passwords = {"usable_password": "true", "password1": OTHER, "password2": OTHER}
    submit(administrator(), reverse("admin:accounts_user_add"), "user_form", username="new", **passwords)


def admin_edit(account):
    account_page(account, email="new@example.com")


def admin_superuser(account):
    account_page(account, is_superuser="on")


def admin_delete(account):
    address = reverse("admin:accounts_user_delete", args=[account.pk])
    administrator().post(address, {"post": "yes"})


def admin_delete_chosen(account):
    chosen = {"action": "delete_selected", "_selected_action": [account.pk], "post": "yes"}
    administrator().post(reverse("admin:accounts_user_changelist"), chosen)


def admin_grant(account):
    account_page(account, user_permissions=[permission().pk])


def admin_role(account):
    account_page(account, roles=[Group.objects.get(role="editor").pk])


def admin_password(account):
    address = reverse("admin:auth_user_password_change", args=[account.pk])
    passwords = {"usable_password": "true", "password1": OTHER, "password2": OTHER}
    assert administrator().post(address, passwords).status_code == 302


def own_password(account):
    client = sign_in(name="somebody")
    User.objects.get(username="somebody")
    client.force_login(account)
    form = {"old_password": PASSWORD, "new_password1": OTHER, "new_password2": OTHER}
    assert client.post(reverse("admin:password_change"), form).status_code == 302


def group_create(account):
    submit(administrator(), reverse("admin:auth_group_add"), "group_form", name="Team")


def group_grant(account):
    Group.objects.get(name="Readers").permissions.add(permission())


def group_join(account):
    Group.objects.get(name="Readers").user_set.add(account)


def revoke_all(account):
    account.groups.clear()


def key_create_admin(account):
    client = administrator()
    client.force_login(account)
    form = {"name": "Program", "days": "7", "full_access": "on"}
    assert client.post(reverse("admin:accounts_apikey_add"), form).status_code == 200


def key_create_api(account):
    expires = (timezone.now() + timedelta(days=7)).isoformat()
    api(account, "POST", "/keys/", {"name": "Program", "expires": expires, "full_access": True})


def key_revoke_admin(account):
    administrator().post(reverse("admin:accounts_apikey_revoke", args=[account.keys.get().pk]))


def key_revoke_api(account):
    api(account, "DELETE", f"/keys/{account.keys.get().pk}/")


ACTS = {
    admin_create: "user.created",
    lambda account: api(
        person("chief", is_superuser=True), "POST", "/users/", {"username": "new", "password": OTHER}
    ): "user.created",
    lambda account: command("ensure_admin", name="new"): "user.created",
    lambda account: command("ensure_client", "new", password_env="CLIENT_PASSWORD"): "user.created",
    admin_edit: "user.changed",
    admin_superuser: "user.changed",
    lambda account: api(account, "PATCH", "/me/", {"email": "new@example.com"}): "user.changed",
    admin_delete: "user.deleted",
    admin_delete_chosen: "user.deleted",
    admin_password: "password.changed",
    own_password: "password.changed",
    lambda account: api(account, "POST", "/me/password/", {"old": PASSWORD, "new": OTHER}): "password.changed",
    lambda account: command("ensure_admin", name="person", reset=True): "password.changed",
    lambda account: command("ensure_client", "person", password_env="CLIENT_PASSWORD"): "password.changed",
    admin_grant: "permission.granted",
    admin_role: "permission.granted",
    group_grant: "permission.granted",
    group_join: "permission.granted",
    revoke_all: "permission.revoked",
    group_create: "group.created",
    lambda account: Group.objects.get(name="Readers").delete(): "group.deleted",
    key_create_admin: "api_key.created",
    key_create_api: "api_key.created",
    key_revoke_admin: "api_key.revoked",
    key_revoke_api: "api_key.revoked",
}
SET_UP = ("sign_in.succeeded",)


@pytest.mark.parametrize(
    ("act", "action"), ACTS.items(), ids=[f"{number} {action}" for number, action in enumerate(ACTS.values())]
)
def test_each_act_leaves_one_entry(act, action):
    administrator()
    account = person()
    group = Group.objects.create(name="Readers")
    if act is revoke_all:
        account.groups.add(group)
    if "revoke" in act.__name__ and act is not revoke_all:
        key = ApiKey(user=account, name="Program", full_access=True, expires=timezone.now() + timedelta(days=7))
        key.seal()
        key.save()
    before = {*Entry.objects.values_list("pk", flat=True)}
    act(account)
    made = Entry.objects.exclude(pk__in=before)
    # Some acts begin with the sign-in, or the making, of whoever does them.
    acts = [row for row in made if row.action not in SET_UP and row.subject_name not in ("chief", "somebody")]
    assert [row.action for row in acts] == [action]
    assert acts[0].subject_type
    assert PASSWORD not in str([*made.values()])
    assert OTHER not in str([*made.values()])
