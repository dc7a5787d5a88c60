import os
import subprocess
import sys

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from tools.servers import free_port

pytestmark = pytest.mark.django_db


def test_a_node_is_ready_without_signing_in(client, django_assert_max_num_queries):
    with django_assert_max_num_queries(5):
        answer = client.get("/health/ready/")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}
    assert answer["Cache-Control"].startswith("max-age=0")


def test_a_node_whose_database_is_behind_is_not_ready(client):
    MigrationRecorder(connection).record_unapplied("accounts", "0001_initial")
    answer = client.get("/health/ready/")
    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "reason": "Migrations to apply: 1."}


def test_a_node_without_a_database_is_alive_but_not_ready(tmp_path):
    ask = """
import django; django.setup()
from django.test import Client
for path in ("live", "ready"):
    answer = Client().get(f"/health/{path}/")
    print(answer.status_code, answer.json())
"""
    settings = {
        "DJANGO_SETTINGS_MODULE": "backoffice.settings",
        "ALLOWED_HOSTS": "testserver",
        "DATABASE_URL": f"postgres://nobody@127.0.0.1:{free_port()}/nothing",
        "BACKOFFICE_VAR": str(tmp_path),
    }
    done = subprocess.run([sys.executable, "-c", ask], env={**os.environ, **settings}, capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "200 {'status': 'ok'}",
        "503 {'status': 'unavailable', 'reason': 'The database does not answer.'}",
    ]


def test_health_is_answered_without_https(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/health/ready/").status_code == 200


def test_only_reading_is_answered(client):
    assert client.post("/health/ready/").status_code == 405


@pytest.mark.parametrize("path", ["/health/live/", "/health/ready/", "/health/live", "/health/ready"])
def test_a_probe_may_name_the_address_of_a_container(client, path):
    address = {"host": "10.1.2.3:8000"}
    assert client.get(path, headers=address).status_code == 200
    assert client.get("/admin/login/", headers=address).status_code == 400
