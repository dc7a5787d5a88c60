"""What an editor of targets and routes can't take: another's secret, and content that they may not view."""

import pytest
from django.urls import reverse

from syncer.models import Route, Target
from tests.content.pages import administrator, form_of, sign_in, with_rows
from tests.remote import Remote
from tests.syncer.admin.setup.walk import Walk

pytestmark = pytest.mark.django_db(transaction=True)

EDIT = ("syncer.view_target", "syncer.change_target", "syncer.view_route", "syncer.add_route", "syncer.change_route")
SYNC = "syncer.sync_target"
AGAIN = "Enter again where it is stored, if it is meant for there."
ELSEWHERE = "https://elsewhere.example"


def url(page, *args):
    return reverse(f"admin:syncer_{page}", args=args)


@pytest.fixture
def signed(target):
    """The target, which signs in with a secret."""
    Target.objects.update(auth="bearer", auth_secret="env:SYNC_SHOP", url="https://shop.example/v1")
    return Target.objects.get()


def saved(target, client=None, **changes):
    """The form of the target sent with these changes; returns its errors, by field."""
    client = client or administrator()
    page = client.get(url("target_change", target.pk))
    answer = client.post(url("target_change", target.pk), form_of(page, "target_form") | changes)
    return {} if answer.status_code == 302 else answer.context["adminform"].form.errors


# --- the secret ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "address",
    [
        *(ELSEWHERE, "http://shop.example/v1", "https://shop.example:8443/v1", "https://shop.example.:443/v1"),
        *("https://sh\u043ep.example/v1", "https://shop.example.elsewhere.example/v1"),
    ],
)
def test_another_host_does_not_get_the_secret_before_it_is_entered_again(signed, address):
    errors = saved(signed, url=address)
    assert AGAIN in errors["auth_secret"][0]
    assert Target.objects.get().url == "https://shop.example/v1"
    assert saved(signed, url=address, auth_secret="env:SYNC_OTHER") == {}
    stored = Target.objects.get()
    assert (stored.url, stored.auth_secret) == (address, "env:SYNC_OTHER")


@pytest.mark.parametrize("address", ["https://SHOP.example/v2", "https://shop.example:443/v1"])
def test_the_same_host_keeps_the_secret(signed, address):
    assert saved(signed, url=address, title="Shop") == {}
    stored = Target.objects.get()
    assert (stored.url, stored.title, stored.auth_secret) == (address, "Shop", "env:SYNC_SHOP")


def test_the_form_says_which_secret_is_kept_and_fills_in_none(signed):
    page = administrator().get(url("target_change", signed.pk))
    assert form_of(page, "target_form")["auth_secret"] == ""
    assert "Now env:SYNC_SHOP; leave it empty to keep it." in page.content.decode()


def test_a_way_of_signing_in_without_a_secret_forgets_it(signed):
    assert saved(signed, auth="none", url=ELSEWHERE) == {}
    assert Target.objects.get().auth_secret == ""


def test_another_host_for_tokens_does_not_get_the_secret_either(signed):
    changes = {"auth": "oauth2", "auth_user": "id", "auth_url": f"{ELSEWHERE}/token"}
    assert AGAIN in saved(signed, **changes)["auth_secret"][0]
    assert saved(signed, **changes | {"auth_url": "/token"}) == {}
    assert saved(signed, **changes | {"auth_secret": "env:SYNC_OTHER"}) == {}
    assert saved(signed, **changes) == {}


def test_the_step_of_signing_in_keeps_the_secret_for_the_same_hosts_only(remote, signed):
    walk = Walk(remote).go(url("target_setup_sign_in", signed.pk))
    walk.send(auth="oauth2", auth_user="id", auth_url=f"{ELSEWHERE}/token")
    assert AGAIN in walk.errors["auth_secret"][0]
    Target.objects.update(url=remote.url)
    walk.go(url("target_setup_sign_in", signed.pk)).send(auth="bearer")
    stored = Target.objects.get()
    assert (walk.step, stored.auth, stored.auth_secret) == ("try", "bearer", "env:SYNC_SHOP")


def test_the_step_of_the_address_forgets_the_secret_for_another_host_and_asks_for_it(signed):
    with Remote() as other:
        walk = Walk(other).go(url("target_setup_address", signed.pk)).send(url=other.url)
    stored = Target.objects.get()
    assert (stored.url, stored.auth, stored.auth_secret, stored.enabled) == (other.url, "bearer", "", False)
    assert walk.step == "sign-in"
    assert "Enter again where the secret is stored" in walk.text
    assert walk.send().errors == {"auth_secret": ["Sign-in 'bearer' needs it."]}


# --- what is carried -------------------------------------------------------------------------------------------------
MOVES = {
    "url": {"url": ELSEWHERE},
    "headers": {"headers-0-0": "Stripe-Account", "headers-0-1": "acct_mine"},
    "parameters": {"query-0-0": "site", "query-0-1": "mine"},
    "account": {"auth": "basic", "auth_user": "me", "auth_secret": "env:SYNC_MINE"},
}


@pytest.mark.parametrize("changes", MOVES.values(), ids=MOVES)
def test_only_whoever_may_view_all_that_a_target_carries_has_it_sent_elsewhere(target, changes):
    before = Target.objects.values().get()
    why = saved(target, sign_in(*EDIT, "news.view_comment"), **changes)["__all__"][0]
    assert "would send news.Post to another place or account. You need the permission news.view_post" in why
    assert Target.objects.values().get() == before
    assert saved(target, sign_in(*EDIT, "news.view_comment", "news.view_post", name="other"), **changes) == {}


def test_other_settings_of_a_target_need_no_view_of_what_it_carries(target):
    assert saved(target, sign_in(*EDIT), title="Shop", timeout="7") == {}


def test_the_steps_of_a_setup_move_no_content_that_the_person_may_not_view(target):
    with Remote() as other:
        walk = Walk(other, sign_in(*EDIT, "syncer.add_target", SYNC)).go(url("target_setup_address", target.pk))
        walk.send(url=other.url)
    assert "You need the permission news.view_comment" in walk.errors["__all__"][0]
    walk.go(url("target_setup_sign_in", target.pk)).send(auth="basic", auth_user="me", auth_secret="env:SYNC_MINE")
    assert "You need the permission news.view_comment" in walk.errors["__all__"][0]
    assert Target.objects.values("url", "auth").get() == {"url": target.url, "auth": "none"}


def test_a_route_offers_and_takes_only_models_that_the_person_may_view(target):
    Route.objects.all().delete()
    client = sign_in(*EDIT, "news.view_comment", "palettes.view_palette")
    page = client.get(f"{url('route_add')}?target={target.pk}")
    fields = page.context["adminform"].form.fields
    assert [value for value, _label in fields["model"].choices] == ["", "news.Comment"]  # not others' palettes
    assert [label for label, _names in fields["own_id"].choices[1:]] == ["news.Comment"]
    offered = fields["fields"].columns[1].choices()
    assert [*offered] == ["news.Comment"]
    form = with_rows(form_of(page, "route_form"), fields=[("title", "title")])
    form |= {"target": target.pk, "model": "news.Post", "path": "/posts"}
    answer = client.post(url("route_add"), form)
    assert "news.Post is not a model that you may have sent" in answer.context["adminform"].form.errors["model"][0]
    assert not Route.objects.exists()


def test_a_route_of_what_the_person_may_not_view_is_read_only_to_them(target):
    route = target.routes.get(model="news.Post")
    client = sign_in(*EDIT, "news.view_comment")
    page = client.get(url("route_change", route.pk)).content.decode()
    assert "Only whoever may view everything that this route carries, news.Post, can change it." in page
    assert "You need the permission news.view_post to view posts." in page
    form = form_of(administrator().get(url("route_change", route.pk)), "route_form")
    assert client.post(url("route_change", route.pk), form | {"model": "news.Comment"}).status_code == 403


def test_who_sees_only_the_palettes_of_some_teams_sends_none_elsewhere(target):
    Route.objects.create(target=target, model="palettes.Palette", path="/palettes", fields={"name": "name"})
    held = (*EDIT, "news.view_post", "news.view_comment", "palettes.view_palette")
    assert "You may view only some of the" in saved(target, sign_in(*held), url=ELSEWHERE)["__all__"][0]
    assert saved(target, sign_in(*held, "palettes.view_all_teams", name="other"), url=ELSEWHERE) == {}
