"""Nobody gives what they don't have: forms of accounts and groups, passwords, deletions, the API."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from backoffice.accounts.granting import may_manage, permissions_to_give
from backoffice.accounts.models import User
from content.news.models import Post
from tests.backoffice.accounts.people import account, role
from tests.content.api_client import ApiClient
from tests.content.pages import browser, form_of

pytestmark = pytest.mark.django_db
PEOPLE = tuple(f"{app}_user" for app in ("accounts.view", "accounts.add", "accounts.change", "accounts.delete"))
GROUPS = tuple(f"auth.{verb}_group" for verb in ("view", "add", "change", "delete"))
INLINE = {"keys-TOTAL_FORMS": "0", "keys-INITIAL_FORMS": "0"}


@pytest.fixture
def clerk():
    """Manages people, and besides has what an editor has."""
    return account("clerk", "editor", permissions=PEOPLE + GROUPS)


@pytest.fixture
def plain():
    return account("plain", is_staff=False)


def page(obj, name="change"):
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_{name}", args=[obj.pk])


def save(client, obj, **changes):
    """Send the form of the object's page as a browser would, with these changes."""
    form = form_of(client.get(page(obj)), f"{obj._meta.model_name}_form")
    fields = {name: value for name, value in form.items() if name not in ("roles", "groups", "user_permissions")}
    answer = client.post(page(obj), {**fields, **INLINE, **changes})
    obj.refresh_from_db()
    return answer


def errors(answer):
    return answer.context["adminform"].form.errors


def slugs(user):
    return {*user.groups.filter(role__isnull=False).values_list("role__slug", flat=True)}


def test_a_superuser_gives_every_role_and_permission(plain):
    client = browser(User.objects.create_superuser("root"))
    own = Group.objects.create(name="own")
    permission = Permission.objects.get(codename="set_user_id")
    roles = [role("editor").pk, role("administrator").pk]
    answer = save(client, plain, roles=roles, groups=[own.pk], user_permissions=[permission.pk], is_superuser="on")
    assert answer.status_code == 302, errors(answer)
    assert slugs(plain) == {"editor", "administrator"}
    assert own in plain.groups.all()
    assert permission in plain.user_permissions.all()
    assert plain.is_superuser
    save(client, plain, roles=[role("viewer").pk])
    assert [*plain.groups.all()] == [role("viewer")]


def test_nobody_makes_a_superuser_who_is_not_one(clerk, plain):
    for victim in (plain, clerk):
        answer = save(browser(clerk), victim, is_superuser="on", is_staff="on", roles=[role("editor").pk])
        assert answer.status_code == 302, errors(answer)
        assert not victim.is_superuser


def test_an_administrator_makes_administrators_and_no_superuser(plain):
    boss = account("boss", "administrator")
    assert save(browser(boss), plain, roles=[role("administrator").pk], is_superuser="on").status_code == 302
    assert slugs(plain) == {"administrator"}
    assert not plain.is_superuser


@pytest.mark.parametrize("field", ["roles", "groups", "user_permissions"])
def test_what_the_giver_lacks_is_not_given(clerk, plain, field):
    strange = Group.objects.create(name="strange")
    strange.permissions.add(Permission.objects.get(codename="sync_target"))
    given = {"roles": role("operator"), "groups": strange, "user_permissions": strange.permissions.get()}[field]
    client = browser(clerk)
    choices = client.get(page(plain)).context["adminform"].form.fields[field].queryset
    assert given not in choices
    answer = save(client, plain, **{field: [given.pk]})
    assert [*errors(answer)] == [field]
    assert not plain.has_perm("syncer.sync_target")


def test_what_the_giver_has_is_given(clerk, plain):
    permission = Permission.objects.get(codename="change_post")
    save(browser(clerk), plain, roles=[role("editor").pk, role("viewer").pk], user_permissions=[permission.pk])
    assert slugs(plain) == {"editor", "viewer"}
    assert permission in plain.user_permissions.all()


def test_what_a_switched_off_giver_account_has_counts_for_nothing(clerk, plain):
    """A superuser's flag on an account that is not active gives nothing."""
    clerk.is_superuser, clerk.is_active = True, False
    assert not permissions_to_give(clerk).exists()
    assert may_manage(clerk, plain)  # who has nothing


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("more", [{"is_superuser": True}, {}])
def test_an_account_that_may_more_is_out_of_reach(clerk, active, more):
    """Whoever sets its password, or switches it on, could become it."""
    strong = account("strong", *(() if more else ("operator",)), is_active=active, email="a@example.com", **more)
    client = browser(clerk)
    assert client.get(page(strong)).context["has_change_permission"] is False
    assert client.post(page(strong), {"username": "mine", **INLINE}).status_code == 403
    password = reverse("admin:auth_user_password_change", args=[strong.pk])
    assert client.get(password).status_code == 403
    assert (
        client.post(password, {"password1": "a-new-pass-phrase", "password2": "a-new-pass-phrase"}).status_code == 403
    )
    assert client.post(page(strong, "delete"), {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [strong.pk], "post": "yes"}
    client.post(reverse("admin:accounts_user_changelist"), action)
    before, strong = strong, User.objects.get(pk=strong.pk)
    assert (strong.username, strong.password, strong.is_active) == (before.username, before.password, active)


def test_an_account_that_may_no_more_is_changed_and_deleted(clerk, plain):
    client = browser(clerk)
    save(client, plain, email="new@example.com")
    assert plain.email == "new@example.com"
    assert client.post(page(plain, "delete"), {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=plain.pk).exists()


def test_a_new_account_gets_roles_and_opens_the_admin(clerk):
    url = reverse("admin:accounts_user_add")
    words = {"usable_password": "true", "password1": "long-pass-phrase-1", "password2": "long-pass-phrase-1"}
    client = browser(clerk)
    made = client.post(url, {**words, "username": "new", "roles": [role("editor").pk]})
    assert made.status_code == 302, errors(made)
    new = User.objects.get(username="new")
    assert (slugs(new), new.is_staff) == ({"editor"}, True)
    assert browser(new).get(reverse("admin:news_post_changelist")).status_code == 200
    refused = client.post(url, {**words, "username": "other", "roles": [role("operator").pk]})
    assert [*errors(refused)] == ["roles"]
    client.post(url, {**words, "username": "none", "is_staff": "on", "is_superuser": "on"})
    none = User.objects.get(username="none")
    assert (none.is_staff, none.is_superuser) == (False, False)


def test_a_group_is_given_only_what_the_giver_has(clerk):
    group = Group.objects.create(name="mine")
    has, lacks = (Permission.objects.get(codename=name) for name in ("change_post", "sync_target"))
    client = browser(clerk)
    assert client.post(page(group), {"name": "mine", "permissions": [has.pk]}).status_code == 302
    assert [*group.permissions.all()] == [has]
    refused = client.post(page(group), {"name": "mine", "permissions": [has.pk, lacks.pk]})
    assert [*errors(refused)] == ["permissions"]
    assert [*group.permissions.all()] == [has]


def test_a_group_that_gives_more_is_out_of_reach(clerk):
    operators, client = role("operator"), browser(clerk)
    assert client.get(page(operators)).context["has_change_permission"] is False
    assert client.post(page(operators), {"name": "mine"}).status_code == 403
    assert client.post(page(operators, "delete"), {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [operators.pk], "post": "yes"}
    client.post(reverse("admin:auth_group_changelist"), action)
    assert role("operator").name == "Operator"


def test_the_page_of_an_account_says_roles_in_plain_words(clerk):
    viewer = account("looks", "viewer")
    text = browser(clerk).get(page(viewer)).content.decode()
    assert "Sees all content" in text
    listed = browser(clerk).get(reverse("admin:accounts_user_changelist")).content.decode()
    assert "Viewer" in listed
    strong = User.objects.create_superuser("root")
    assert "superuser" in browser(clerk).get(page(strong)).content.decode()


def test_the_api_gives_nobody_a_permission(clerk):
    client = ApiClient(clerk)
    wish = {"is_superuser": True, "is_staff": True, "groups": [role("administrator").pk]}
    words = {"username": "new", "password": "long-pass-phrase-1"}
    assert client.send("POST", "/api/accounts/users/", {**words, **wish}).status_code == 422
    assert client.send("PATCH", "/api/accounts/me/", wish).status_code == 422
    assert client.send("POST", "/api/accounts/users/", words).status_code == 201
    new = User.objects.get(username="new")
    assert (new.is_superuser, new.is_staff, new.groups.count()) == (False, False, 0)
    assert not new.has_perm("news.view_post")
    assert Post.objects.count() == 0
