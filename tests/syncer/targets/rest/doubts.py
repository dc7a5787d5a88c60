"""Creates whose answers are lost, and a person's answers on an object's page."""

from django.urls import reverse

from tests.content.pages import form_of
from tests.remote import Fault
from tests.syncer.conftest import sync
from tests.syncer.support import let_time_pass

SENT = {"userId": 99999942, "title": "A", "body": "B"}


def lose_a_create(target, remote, **fault):
    """A create that the target carried out, or not, and whose answer was lost."""
    remote.fault(method="POST", **({"kind": Fault.RESET, "act": True} | fault))
    sync(target)
    let_time_pass()


def page_of(one):
    return reverse("admin:syncer_binding_change", args=[one.pk])


def resolve_url(one):
    return reverse("admin:syncer_binding_resolve", args=[one.pk])


def decide(client, one, **answer):
    """Press a button on the object's page, then confirm; the page that asks again."""
    sure = client.post(resolve_url(one), {"seen": one.token} | answer)
    return client.post(resolve_url(one), form_of(sure, "decision") | {"sure": "yes"}), sure.content.decode()
