"""Items travel as every other content does: created, updated and deleted at a REST target, and only what may travel."""

import pytest
from django.core.exceptions import ValidationError

from content.tasks.models import Item
from syncer.engine.runs import run_here
from syncer.models import Route, Target

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def target(remote):
    target = Target.objects.create(name="fakeapi", url=remote.url, timeout=10)
    fields = {"title": "title", "details": "description", "ref": "external_id", "short": "summary"}
    route = Route(target=target, model="tasks.Item", path="/todos", fields=fields)
    route.full_clean()  # each field is one that may travel
    route.save()
    return target


def test_what_the_external_api_sent_does_not_travel(target, remote):
    with pytest.raises(ValidationError, match="external_data"):
        Route(target=target, model="tasks.Item", path="/data", fields={"data": "external_data"}).full_clean()
    item = Item.objects.create(title="Repair the pump")
    run_here(target)
    remote.clear_journal()
    Item.objects.filter(pk=item.pk).update(external_data={"a": 1})
    run_here(target)
    assert remote.writes() == []
