"""Permissions are named in the reader's language, whatever their names in the database are."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils.translation import override

from backoffice.accounts.permission_names import name_of
from tests.backoffice.accounts.people import account
from tests.content.pages import browser

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("codename", "german"),
    [
        ("add_post", "Hinzufügen: Beitrag"),
        ("export_post", "Exportieren: Beitrag"),
        ("set_user_id", "Die Benutzernummer eines Beitrags setzen"),
        ("sync_target", "Ein Ziel jetzt abgleichen, pausieren und fortsetzen"),
    ],
)
def test_a_permission_is_named_in_the_readers_language(codename, german):
    permission = Permission.objects.get(codename=codename)
    assert name_of(permission) == permission.name
    with override("de"):
        assert name_of(permission) == german


def test_the_form_of_an_account_names_them_so():
    client = browser(account("chief", is_superuser=True, language="de"))
    page = client.get(reverse("admin:accounts_user_change", args=[account("editor").pk])).content.decode()
    assert "Hinzufügen: Beitrag" in page
    assert "Can add post" not in page
