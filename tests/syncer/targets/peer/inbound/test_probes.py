"""A peer that did not answer, and now sends a request."""

from datetime import timedelta

import pytest

from backoffice.kit import clock
from syncer.models import Target
from tests.syncer.targets.peer.inbound.batches import LAMP

pytestmark = pytest.mark.django_db(transaction=True)


def close_in(probe_at):
    """Return the seconds until the probe."""
    return (probe_at - clock.now()).total_seconds()


def test_a_peer_that_speaks_to_us_is_probed_soon(store):
    now = clock.now()
    Target.objects.update(opened_at=now, failures=5, probe_at=now + timedelta(minutes=1))
    store.node.create(LAMP)
    assert store.results() == ["applied"]
    assert close_in(Target.objects.get().probe_at) <= 2


def test_a_peer_that_keeps_calling_puts_no_probe_off(store):
    now = clock.now()
    Target.objects.update(opened_at=now, failures=5, probe_at=now)
    store.node.create(LAMP)
    assert store.results() == ["applied"]
    assert Target.objects.get().probe_at == now
