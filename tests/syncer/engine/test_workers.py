"""What is said of workers, from their rows."""

import re
from datetime import timedelta

import pytest

from backoffice.kit import clock
from syncer.models import Worker
from syncer.reports.workers import trouble_at, waiting_hint

pytestmark = pytest.mark.django_db


def a_worker(host="here", *, silent=0):
    now = clock.now()
    return Worker.objects.create(host=host, pid=7, started_at=now, heartbeat_at=now - timedelta(seconds=silent))


def test_a_worker_with_a_fresh_beat_is_well_whatever_the_others_are():
    a_worker()
    a_worker(silent=3600)
    assert trouble_at("here") == ""


def test_a_worker_of_another_host_says_nothing_of_this_one():
    a_worker("there")
    assert trouble_at("here").startswith("No worker runs on here")


def test_a_silent_worker_is_named_with_the_cure():
    a_worker(silent=100)
    a_worker(silent=3600)
    said = (
        r"The worker on here, process 7 has had no heartbeat for 10\d s: "
        "see its log, and start “manage.py worker” again if it has ended."
    )
    assert re.fullmatch(said, trouble_at("here"))


def test_the_hint_for_a_waiting_run_says_whether_a_worker_is_running():
    a_worker(silent=100)
    assert waiting_hint() == "No worker has taken this yet, and none is running: start “manage.py worker”."
    a_worker()
    assert waiting_hint() == "No worker has taken this yet. 1 is running, perhaps at other work."
    a_worker("there")
    assert waiting_hint() == "No worker has taken this yet. 2 are running, perhaps at other work."
