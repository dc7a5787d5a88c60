import pytest
from django.core.management import CommandError, call_command

from backoffice.accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def password(monkeypatch):
    monkeypatch.setenv("BACKOFFICE_ADMIN_PASSWORD", "first-pass-phrase")
    monkeypatch.setenv("CLIENT_PASSWORD", "client-pass-phrase")


def ensure_client(*permissions: str) -> None:
    call_command("ensure_client", "sync", password_env="CLIENT_PASSWORD", permissions=list(permissions))


def test_the_administrator_is_created_once(capsys):
    call_command("ensure_admin")
    call_command("ensure_admin")
    admin = User.objects.get()
    assert admin.is_superuser
    assert admin.check_password("first-pass-phrase")
    assert "first-pass-phrase" not in "".join(capsys.readouterr())


def test_a_password_that_a_person_changed_stays(monkeypatch):
    call_command("ensure_admin")
    monkeypatch.setenv("BACKOFFICE_ADMIN_PASSWORD", "second-pass-phrase")
    with pytest.raises(CommandError) as refused:
        call_command("ensure_admin")
    assert refused.value.returncode == 3
    assert User.objects.get().check_password("first-pass-phrase")


def test_a_password_is_reset_when_asked(monkeypatch):
    call_command("ensure_admin")
    monkeypatch.setenv("BACKOFFICE_ADMIN_PASSWORD", "second-pass-phrase")
    call_command("ensure_admin", reset=True)
    assert User.objects.get().check_password("second-pass-phrase")


def test_production_refuses_a_weak_password(monkeypatch, settings):
    settings.PRODUCTION = True
    monkeypatch.setenv("BACKOFFICE_ADMIN_PASSWORD", "12345678")
    with pytest.raises(CommandError, match="too common"):
        call_command("ensure_admin")
    assert not User.objects.exists()


def test_no_administrator_without_a_password(monkeypatch):
    monkeypatch.delenv("BACKOFFICE_ADMIN_PASSWORD")
    with pytest.raises(CommandError, match="BACKOFFICE_ADMIN_PASSWORD is not set"):
        call_command("ensure_admin")


def given(user):
    """The permissions that were given to this account, beside those that every account has."""
    return {*user.user_permissions.values_list("codename", flat=True)}


def test_a_client_has_just_the_permissions_named():
    ensure_client("news.view_post", "news.set_user_id")
    client = User.objects.get()
    assert given(client) == {"view_post", "set_user_id"}
    assert not client.is_staff
    assert client.check_password("client-pass-phrase")


def test_a_client_that_is_there_only_gets_the_password(monkeypatch):
    ensure_client("news.view_post")
    monkeypatch.setenv("CLIENT_PASSWORD", "other-pass-phrase")
    ensure_client("news.delete_post")
    client = User.objects.get()
    assert client.check_password("other-pass-phrase")
    assert given(client) == {"view_post"}


def test_a_permission_that_does_not_exist_creates_no_client():
    with pytest.raises(CommandError, match=r"no permission news\.fly_post"):
        ensure_client("news.fly_post")
    assert not User.objects.exists()


def test_each_ready_role_has_an_account_to_try_it_with(monkeypatch, capsys):
    with pytest.raises(CommandError, match="BACKOFFICE_PEOPLE_PASSWORD is not set"):
        call_command("ensure_people")
    monkeypatch.setenv("BACKOFFICE_PEOPLE_PASSWORD", "people-pass-phrase")
    call_command("ensure_people")
    roles = {user.username: user.groups.get().role.slug for user in User.objects.all()}
    assert roles == {name: name for name in ("viewer", "editor", "importer", "operator")}
    assert all(user.is_staff and user.check_password("people-pass-phrase") for user in User.objects.all())
    assert "people-pass-phrase" not in "".join(capsys.readouterr())


def test_an_account_that_somebody_has_is_given_no_role(monkeypatch):
    monkeypatch.setenv("BACKOFFICE_PEOPLE_PASSWORD", "people-pass-phrase")
    own = User.objects.create_user("editor", password="own-pass-phrase")
    call_command("ensure_people")
    own.refresh_from_db()
    assert not own.groups.exists()
    assert own.check_password("own-pass-phrase")
