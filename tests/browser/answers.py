"""Pages that no link of the walk leads to: the way in, answers to forms, and errors."""

from typing import Any
from unittest.mock import patch

from django.contrib.auth.tokens import default_token_generator
from django.db import OperationalError
from django.test import Client, override_settings
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlencode, urlsafe_base64_encode

from backoffice.accounts.models import ApiKey
from backoffice.site import Site
from content.messaging.models import Message
from content.news.models import Post
from syncer.models import Binding, Route, Target
from tests.backoffice.accounts.people import account
from tests.backoffice.accounts.second_factor.app import PASSWORD, equipped
from tests.content.files import confirm, preview, table

Answers = dict[str, Any]  # {"name": a response of Django's test client}
POSTS = "admin:news_post_changelist"


def visitor(host: str) -> Client:
    """Return a browser of somebody who is not signed in, and whom an error does not end the test."""
    return Client(headers={"host": host}, raise_request_exception=False)


def of_nobody(host: str) -> Answers:
    """Return the pages of whoever is not signed in."""
    user, _, _ = equipped("forgetful")
    login, link = reverse("admin:login"), reverse("admin:password_reset_open")
    right = {"username": user.username, "password": PASSWORD}
    wrong = {"username": user.username, "password": "wrong"}
    token = {"uid": urlsafe_base64_encode(force_bytes(user.pk)), "token": default_token_generator.make_token(user)}
    with override_settings(PASSWORD_RESET=True, OIDC_ISSUER="https://id.example"):
        found = {
            "login": visitor(host).get(login),
            "wrong password": visitor(host).post(login, wrong),
            "code": visitor(host).post(login, right, follow=True),
            "forgotten": visitor(host).get(reverse("admin:password_reset")),
            "mailbox": visitor(host).get(reverse("admin:password_reset_sent")),
            "new password": visitor(host).get(f"{link}?{urlencode(token)}", follow=True),
            "broken link": visitor(host).get(f"{link}?{urlencode(token | {'token': 'x'})}", follow=True),
        }
    with override_settings(SIGN_IN_FREE_FAILURES=dict.fromkeys(("account", "address", "known"), 0)):
        return found | {"slowed down": visitor(host).post(login, wrong)}


def of_errors(host: str) -> Answers:
    """Return each kind of error page."""
    home, client = reverse("admin:index"), visitor(host)
    client.force_login(account("newcomer"))
    with patch.object(Site, "get_app_list", side_effect=OperationalError):
        busy = client.get(home)
    with patch.object(Site, "get_app_list", side_effect=ZeroDivisionError):
        broken = client.get(home)
    found = {
        400: client.get(home, headers={"host": "else.where"}),
        403: client.get(reverse("admin:syncer_target_add")),
        404: client.get(f"{home}nothing/"),
        405: client.get(reverse("admin:accounts_apikey_revoke", args=[1])),
        500: broken,
        503: busy,
    }
    assert {status: page.status_code for status, page in found.items()} == {status: status for status in found}
    return {f"error {status}": page for status, page in found.items()}


def of_administrator(client: Client) -> Answers:
    """Return what forms answer, and pages of which one more is worth a look."""
    return _accounts(client) | _content(client) | _sync(client)


def _accounts(client: Client) -> Answers:
    user, _, recovery = equipped("careful")
    careful = visitor(client.defaults["HTTP_HOST"])
    careful.force_login(user)
    page, key = reverse("admin:second_factor"), {"name": "Till", "days": 90, "full_access": "on"}
    made = client.post(reverse("admin:accounts_apikey_add"), key)
    return {
        "password changed": client.get(reverse("admin:password_change_done")),
        "second factor": careful.get(page),
        "recovery codes": careful.post(page, {"code": recovery[0]}),
        "account with a second factor": client.get(reverse("admin:accounts_user_change", args=[user.pk])),
        "key made": made,
        "key": client.get(reverse("admin:accounts_apikey_change", args=[ApiKey.objects.latest("pk").pk])),
    }


def _content(client: Client) -> Answers:
    post = Post.objects.earliest("pk")
    rows = [post.pk, "New title", post.body], ["", "Party", "On the roof."], ["", "", "Ask the porter."]
    file, chosen = table(["id", "title", "body"], *rows), {"_selected_action": [post.pk]}
    erase = {"client": Message.objects.earliest("pk").client, "reason": "Request 7"}
    deleted = Post.history.filter(history_type="-").latest("history_id")
    right = preview(client, Post, table(["id", "title", "body"], rows[1]), name="right.csv")
    return {
        "import with errors": preview(client, Post, file, name="wrong.csv"),
        "import done": confirm(client, right),
        "bulk edit": client.post(reverse(POSTS), {"action": "change_chosen", **chosen}),
        "delete chosen": client.post(reverse(POSTS), {"action": "delete_selected", **chosen}),
        "erase": client.get(reverse("admin:messaging_erasure_add")),
        "erase this": client.post(reverse("admin:messaging_erasure_add"), erase),
        "restore": client.get(reverse("admin:news_post_restore"), {"row": deleted.pk}),
    }


def _sync(client: Client) -> Answers:
    rejected, doubtful = Binding.objects.filter(rejected__isnull=False)[0], Binding.objects.filter(in_doubt=True)[0]
    rest, peer = Target.objects.get(kind="rest"), Target.objects.get(kind="peer")
    new = Route.objects.create(target=rest, model="tasks.Item", path="/posts", fields={"title": "title"}, lookup=[])
    hold = {"action": "hold", "_selected_action": [rejected.pk]}
    pages = {
        "rejected": ("binding_change", rejected.pk),
        "in doubt": ("binding_change", doubtful.pk),
        "peer": ("target_change", peer.pk),
        "pair": ("target_pair", peer.pk),
        "setup fields": ("target_setup_fields", rest.pk, new.pk),
        "setup finish": ("target_setup_finish", rest.pk, new.pk),
    }
    found = {name: client.get(reverse(f"admin:syncer_{view}", args=keys)) for name, (view, *keys) in pages.items()}
    return found | {"hold": client.post(reverse("admin:syncer_binding_changelist"), hold)}
