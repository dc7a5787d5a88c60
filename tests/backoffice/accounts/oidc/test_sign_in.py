"""Sign-in by OpenID Connect, against a real provider on loopback."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from joserfc.jwk import OctKey, RSAKey

from backoffice.accounts.models import User
from backoffice.accounts.oidc.apps import OidcConfig
from backoffice.accounts.oidc.models import Identity
from backoffice.kit.audit.models import Entry
from tests.backoffice.accounts.oidc.provider import CLIENT, SECRET, Provider
from tests.backoffice.accounts.people import account
from tests.backoffice.accounts.second_factor.app import equipped
from tests.backoffice.test_settings import PRODUCTION, refusal

pytestmark = pytest.mark.django_db
LOGIN, BEGIN, HOME = "/admin/login/", "/admin/login/oidc/", "/admin/"


@pytest.fixture
def provider(settings):
    with Provider() as provider:
        settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = provider.issuer, CLIENT, SECRET
        yield provider


def sign_in(provider, client=None, query=""):
    """Go to the provider and come back; returns the browser and the last answer."""
    client = client or Client()
    there = client.get(BEGIN + query)
    assert there.status_code == 302
    return client, client.get(provider.sign_in(there["Location"]))


def said(client):
    return client.get(LOGIN).content.decode()


def refused(provider, text):
    client, answer = sign_in(provider)
    assert answer["Location"] == LOGIN
    assert text in said(client)
    assert client.get(HOME).status_code == 302


FAILED = "The sign-in did not succeed there."


# --- signing in -------------------------------------------------------------------------------------------------------
def test_the_account_of_the_name_is_signed_in_and_linked(provider):
    editor = account("editor", "editor")
    client, answer = sign_in(provider, query="?next=/admin/news/post/")
    assert answer["Location"] == "/admin/news/post/"
    assert client.get("/admin/news/post/").status_code == 200
    assert provider.refusals == []
    identity = Identity.objects.get()
    assert (identity.user, identity.issuer, identity.subject) == (editor, provider.issuer, "248289761001")
    linked, signed_in = [*Entry.objects.filter(subject_id=editor.pk).order_by("pk")][-2:]
    assert (linked.action, signed_in.action) == ("sign_in.linked", "sign_in.succeeded")
    assert signed_in.details == {"way": "oidc"}


def test_the_button_is_there_only_where_a_provider_is_set(provider, settings):
    assert f'href="{BEGIN}?' in said(Client())
    settings.OIDC_ISSUER = ""
    assert BEGIN not in said(Client())
    assert [Client().get(address).status_code for address in (BEGIN, f"{BEGIN}back/")] == [404, 404]


def test_a_link_leads_to_no_other_site(provider):
    account("editor", "editor")
    assert sign_in(provider, query="?next=https://elsewhere.example/")[1]["Location"] == HOME


def test_the_second_factor_is_asked_for_after_the_provider(provider):
    _, app, _ = equipped()
    client, answer = sign_in(provider, query="?next=/admin/news/post/")
    assert answer["Location"].startswith("/admin/login/code/")
    assert client.get(HOME).status_code == 302
    assert client.post(answer["Location"], {"code": app.code()})["Location"] == "/admin/news/post/"
    assert Entry.objects.filter(action="sign_in.succeeded").get().details == {"way": "oidc"}


def test_claims_may_come_from_the_userinfo_endpoint(provider):
    account("editor", "editor")
    provider.only_userinfo = True
    assert sign_in(provider)[1]["Location"] == HOME


def test_the_userinfo_endpoint_does_not_speak_of_somebody_else(provider):
    account("editor", "editor")
    provider.only_userinfo, provider.userinfo_claims = True, {"sub": "somebody else"}
    refused(provider, "The provider did not tell your name.")


# --- who it is --------------------------------------------------------------------------------------------------------
def test_a_new_name_at_the_provider_changes_no_account(provider):
    editor = account("editor", "editor")
    sign_in(provider)
    provider.person["preferred_username"] = "chief"
    account("chief", "administrator")
    client, _ = sign_in(provider)
    assert client.session["_auth_user_id"] == str(editor.pk)


def test_a_name_that_passed_to_somebody_else_opens_nothing(provider):
    account("editor", "editor")
    sign_in(provider)
    provider.person["sub"] = "2"
    refused(provider, "The account of this name belongs to somebody else.")
    assert Entry.objects.filter(action="sign_in.failed", details={"way": "oidc"}).count() == 1


def test_names_that_look_alike_are_not_one_name(provider):
    account("editor", "editor")
    provider.person["preferred_username"] = "EDITOR"
    refused(provider, "You have no account here.")


def test_unknown_people_get_an_account_only_where_a_role_is_set_for_them(provider, settings):
    refused(provider, "You have no account here.")
    settings.OIDC_NEW_ROLE = "viewer"
    provider.person |= {"email": "editor@example.com", "given_name": "Given", "family_name": "Family"}
    client, answer = sign_in(provider)
    assert answer["Location"] == HOME
    made = User.objects.get(username="editor")
    assert (made.email, made.first_name, made.last_name) == ("editor@example.com", "Given", "Family")
    assert [group.role.slug for group in made.groups.all()] == ["viewer"]
    assert (made.is_staff, made.is_superuser, made.has_usable_password()) == (True, False, False)
    assert client.get("/admin/news/post/add/").status_code == 403


def test_no_account_is_made_of_a_name_that_is_none(provider, settings):
    settings.OIDC_NEW_ROLE = "viewer"
    provider.person["preferred_username"] = "a name/with <signs>"
    refused(provider, "No account can be made of what the provider says about you.")
    assert not User.objects.exists()


@pytest.mark.parametrize("field", ["is_active", "is_staff"])
def test_an_account_that_may_not_open_the_pages_is_refused(provider, field):
    editor = account("editor", "editor")
    setattr(editor, field, False)
    editor.save()
    refused(provider, "Your account may not open these pages.")
    assert not Identity.objects.exists()


@pytest.mark.parametrize(
    ("claims", "text"),
    [
        ({}, "The provider did not tell your name."),
        ({"email": ["editor"]}, "The provider did not tell your name."),
        ({"email": "editor"}, "The provider has not checked your e-mail address."),
        ({"email": "editor", "email_verified": "true"}, "The provider has not checked your e-mail address."),
    ],
)
def test_an_address_counts_as_a_name_only_if_it_was_verified(provider, settings, claims, text):
    settings.OIDC_NAME_CLAIM = "email"
    account("editor", "editor")
    provider.person = {"sub": "1", **claims}
    refused(provider, text)
    provider.person |= {"email": "editor", "email_verified": True}
    assert sign_in(provider)[1]["Location"] == HOME


# --- what proves nothing -------------------------------------------------------------------------------------------
LIES: dict[str, dict[str, Any]] = {
    "another issuer": {"token_claims": {"iss": "https://elsewhere.example"}},
    "another audience": {"token_claims": {"aud": "another"}},
    "another audience, for us": {"token_claims": {"aud": "another", "azp": CLIENT}},
    "no audience": {"token_claims": {"aud": None}},
    "out of date": {"token_claims": {"exp": 1_700_000_000}},
    "another nonce": {"token_claims": {"nonce": "another"}},
    "no nonce": {"token_claims": {"nonce": None}},
    "nobody": {"token_claims": {"sub": None}},
    "a subject without end": {"token_claims": {"sub": "1" * 256}},
    "another key": {"signer": RSAKey.generate_key(2048, {"kid": "one"})},
    "a shared secret": {"signer": OctKey.import_key(SECRET), "algorithm": "HS256"},
    "metadata of another issuer": {"metadata": {"issuer": "https://elsewhere.example"}},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_proves_nothing_signs_nobody_in(provider, lie):
    account("editor", "editor")
    for name, value in LIES[lie].items():
        setattr(provider, name, value)
    client = Client()
    there = client.get(BEGIN)
    if there["Location"] != LOGIN:
        assert client.get(provider.sign_in(there["Location"]))["Location"] == LOGIN
    assert FAILED in said(client)
    assert client.get(HOME).status_code == 302
    assert not Identity.objects.exists()


def test_the_way_back_belongs_to_the_browser_that_went_there(provider):
    account("editor", "editor")
    client = Client()
    back = provider.sign_in(client.get(BEGIN)["Location"])
    stranger = Client()
    assert stranger.get(back)["Location"] == LOGIN
    assert FAILED in said(stranger)
    assert client.get(back)["Location"] == HOME
    assert client.get(back)["Location"] == LOGIN  # once


def test_a_code_that_was_changed_on_the_way_signs_nobody_in(provider):
    account("editor", "editor")
    client = Client()
    back = provider.sign_in(client.get(BEGIN)["Location"])
    other = provider.sign_in(Client().get(BEGIN)["Location"])
    code = other.partition("code=")[2].partition("&")[0]
    mixed = back.replace(back.partition("code=")[2].partition("&")[0], code)
    assert client.get(mixed)["Location"] == LOGIN
    assert "verifier" in provider.refusals


def test_a_provider_that_is_away_or_answers_nonsense_is_said_so(provider, settings, caplog):
    provider.metadata = {"jwks_uri": provider.issuer + "nowhere"}
    account("editor", "editor")
    client, answer = sign_in(provider)
    assert answer["Location"] == LOGIN
    settings.OIDC_ISSUER = "http://127.0.0.1:9/"
    assert client.get(BEGIN)["Location"] == LOGIN
    assert "refused the connection" in caplog.text


def test_a_provider_in_a_private_network_that_is_not_named_is_not_asked(provider, settings, caplog):
    settings.PRIVATE_NETWORKS = []
    assert Client().get(BEGIN)["Location"] == LOGIN
    assert "a private address" in caplog.text


# --- settings ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"OIDC_ISSUER": "https://id.example"}, "OIDC_CLIENT_ID is not"),
        ({"OIDC_ISSUER": "http://id.example", "OIDC_CLIENT_ID": "b"}, "OIDC_ISSUER is not encrypted"),
        ({"OIDC_SCOPES": "profile"}, "OIDC_SCOPES lacks openid"),
    ],
)
def test_settings_that_can_not_work_are_refused(tmp_path, given, reason):
    assert reason in refusal(tmp_path, {**PRODUCTION, **given})


def test_the_role_of_new_people_is_a_ready_one(settings):
    settings.OIDC_NEW_ROLE = "superuser"
    with pytest.raises(ImproperlyConfigured, match="OIDC_NEW_ROLE is 'superuser'; it may be one of: viewer, editor"):
        OidcConfig("backoffice.accounts.oidc", __import__("backoffice.accounts.oidc")).ready()
