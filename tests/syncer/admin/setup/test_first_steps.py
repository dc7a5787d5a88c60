"""Address, sign-in and trial: what is asked, what is said of it, and what is kept."""

import pytest
from django.urls import reverse

from syncer.models import Target
from tests.remote import Bearer, Fault
from tests.syncer.admin.setup.walk import Walk, url
from tests.syncer.support import requests

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": Fault.RESET, "act": False}, "closed the connection"),
        ({"kind": Fault.STATUS, "status": 503}, "answered 503, so it has a fault of its own"),
        ({"kind": Fault.STATUS, "status": 429}, "it wants fewer requests"),
        ({"kind": Fault.REDIRECT, "location": "ftp://example.com/"}, "redirects to an address that can&#x27;t be used"),
        ({"kind": Fault.REDIRECT, "location": "https://api.example.com/v2?a=b"}, "redirects to https://api.example"),
    ],
)
def test_an_address_that_does_not_answer_as_it_should_is_said_and_nothing_is_saved(walk, remote, fault, words):
    remote.fault(**fault)
    walk.send(url=remote.url, title="Shop")
    assert walk.step == "setup"
    assert words in walk.text
    assert not Target.objects.exists()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": Fault.STATUS, "status": 404}, "At the address itself it has nothing (404), as many APIs do."),
        ({"kind": Fault.STATUS, "status": 403}, "wants a sign-in (403)"),
        ({"kind": Fault.HTML}, "this may be the address of a web page"),
        ({"kind": Fault.STATUS, "status": 200, "body": {"posts": "/posts"}}, "It names: posts."),
    ],
)
def test_an_answer_that_is_usual_for_an_api_leads_on(walk, remote, fault, words):
    remote.fault(**fault)
    walk.send(url=remote.url, title="Shop")
    assert walk.step == "sign-in"
    assert words in walk.text


def test_the_address_of_a_redirect_is_taken_by_a_click(walk, remote):
    remote.fault(Fault.REDIRECT, location="/v2", status=301)
    walk.send(url=remote.url, title="Shop")
    walk.press(f"take=url={remote.url}/v2")
    assert Target.objects.get().url == f"{remote.url}/v2"


def test_a_person_can_insist_on_an_address_that_does_not_answer_yet(walk, remote):
    remote.stop()
    walk.send(url=remote.url, title="Shop")
    assert "refused the connection" in walk.text
    walk.press("anyway")
    assert walk.step == "sign-in"
    assert not Target.objects.get().enabled


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://169.254.169.254/latest", "an address that is never contacted"),
        ("ftp://example.com", "begins with http:// or https://"),
        ("https://user:pass@example.com", "Take user name and password out of the address"),
    ],
)
def test_an_address_that_is_never_contacted_is_refused_also_when_a_person_insists(walk, address, words):
    walk.press("anyway", url=address, title="Shop")
    assert words in " ".join(walk.errors["url"])
    assert not Target.objects.exists()


def test_a_private_address_is_not_contacted_unless_its_network_is_named(walk, remote, settings):
    settings.PRIVATE_NETWORKS = []
    walk.press("anyway", url=remote.url, title="Shop")
    assert "name its network in the setting PRIVATE_NETWORKS" in walk.errors["url"][0]
    walk.send(url=remote.url.replace("127.0.0.1", "localhost"), title="Shop")
    assert "a private address; if that is meant, name its network in the setting PRIVATE_NETWORKS" in walk.text
    assert requests(remote) == []
    assert not Target.objects.exists()


def test_the_short_name_is_made_from_the_name_and_free(walk, remote, paused):
    Target.objects.filter(pk=paused.pk).update(name="shop")
    walk.send(url=remote.url, title="Shop")
    assert Target.objects.exclude(pk=paused.pk).get().name == "shop-2"


def test_the_address_is_asked_without_the_secret_of_an_earlier_sign_in(walk, remote, paused, monkeypatch):
    monkeypatch.setenv("SYNC_TOKEN", "s3cret-token")
    Target.objects.update(auth="bearer", auth_secret="env:SYNC_TOKEN")
    walk.go(url("address", paused.pk)).send(title="Other")
    assert Target.objects.get().title == "Other"
    assert [entry.headers.get("Authorization") for entry in remote.journal] == [None]


def test_only_the_fields_of_the_chosen_way_of_signing_in_are_kept(walk, paused):
    walk.go(url("sign_in", paused.pk)).send(auth="bearer", auth_secret="env:SYNC_A", auth_user="u", auth_names="a")
    stored = Target.objects.get()
    assert (stored.auth, stored.auth_secret, stored.auth_user, stored.auth_names) == ("bearer", "env:SYNC_A", "", "")


def test_what_a_way_of_signing_in_needs_is_asked_for(walk, paused):
    walk.go(url("sign_in", paused.pk)).send(auth="oauth2", auth_user="me")
    assert walk.errors == {"auth_secret": ["Sign-in 'oauth2' needs it."], "auth_url": ["Sign-in 'oauth2' needs it."]}
    assert "me" in walk.text


def test_a_secret_in_place_of_a_reference_is_refused(walk, paused):
    walk.go(url("sign_in", paused.pk)).send(auth="bearer", auth_secret="s3cr3t")
    assert "Give where the secret is, not the secret" in walk.errors["auth_secret"][0]
    assert Target.objects.get().auth_secret == ""


def test_the_trial_says_what_is_wrong_with_the_sign_in_and_shows_no_secret(walk, remote, paused, monkeypatch):
    monkeypatch.setenv("SYNC_TOKEN", "s3cret-token")
    remote.require(Bearer("another-token"))
    walk.go(url("sign_in", paused.pk)).send(auth="bearer", auth_secret="env:SYNC_NONE")
    assert "needs a secret that is not there" in walk.text
    walk.go(url("sign_in", paused.pk)).send(auth="bearer", auth_secret="env:SYNC_TOKEN")
    assert "refused the sign-in (401)" in walk.text
    assert "s3cret" not in walk.text
    assert walk.page.context["following"]  # a person may go on


def test_the_trial_shows_what_was_asked_and_answered(walk, remote, paused):
    remote.fault(Fault.STATUS, status=200, body={"posts": f"{remote.url}/posts"})
    walk.go(url("try", paused.pk))
    assert f"GET {remote.url}" in walk.text
    assert "200 OK, application/json" in walk.text
    assert "&quot;posts&quot;" in walk.text
    assert remote.writes() == []


def test_the_pages_of_a_target_lead_into_its_setup_until_it_is_on(walk, paused):
    page, button = reverse("admin:syncer_target_change", args=[paused.pk]), "Continue setting up"
    assert button in walk.go(page).text
    assert walk.go(reverse("admin:syncer_target_setup_continue", args=[paused.pk])).step == "sign-in"
    Target.objects.update(enabled=True)
    assert button not in walk.go(page).text
    assert walk.go(reverse("admin:syncer_target_setup_continue", args=[paused.pk])).step == "change"
    assert url("") in walk.go(reverse("admin:syncer_target_changelist")).text
    assert url("") in walk.go(reverse("admin:syncer_target_add")).text


def test_a_peer_is_not_set_up_so(walk, paused):
    Target.objects.update(kind="peer", peer_node="there")
    for step in ("address", "sign_in", "try", "records"):
        assert Walk(walk.remote).go(url(step, paused.pk)).page.status_code == 404, step
