"""The pages of accounts are whole in each language."""

import pytest
from django.urls import reverse

from tests.backoffice.accounts.people import account
from tests.languages import LANGUAGES, left_in_english

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_about_accounts_is_left_in_english(language):
    lists = [f"accounts_{name}_{page}" for name in ("user", "apikey") for page in ("changelist", "add")]
    pages = [
        *(reverse(f"admin:{page}") for page in (*lists, "auth_group_changelist", "auth_group_add")),
        reverse("admin:accounts_user_change", args=[account("editor", "editor").pk]),
        reverse("admin:accounts_user_settings"),
        reverse("admin:search"),
    ]
    assert left_in_english(pages, language) == {}
