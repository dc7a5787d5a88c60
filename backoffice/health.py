"""Health checks for Docker, load balancers and `make run`. Open to anybody, so they reveal nothing of the content."""

import sqlite3
from collections.abc import Callable
from functools import lru_cache

from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from backoffice.monitoring.page import metrics
from content.base.history import triggers


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """Answer 200: the process runs."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 if the database can be written, has every migration of this program, and writes history; else 503."""
    reason = ""
    try:
        if missing := known_migrations() - MigrationRecorder(connection).applied_migrations().keys():
            reason = f"Migrations to apply: {len(missing)}."
        elif triggers.faults(connection):
            reason = f"Triggers that write history are missing or wrong. {triggers.CURE}"
        elif not can_write():
            reason = "The database can't be written."
    except Error:
        reason = "The database does not answer."
    if reason:
        return JsonResponse({"status": "unavailable", "reason": reason}, status=503)
    return JsonResponse({"status": "ok"})


def can_write() -> bool:
    """Return whether the database takes writes, by an UPDATE of no row; only a real write would find a full disk."""
    is_sqlite = connection.vendor == "sqlite"
    try:
        if is_sqlite:  # whoever writes just now may take longer than the caller waits
            connection.connection.execute("PRAGMA busy_timeout = 0")
        MigrationRecorder(connection).migration_qs.filter(pk=0).update(name="")
    except Error as error:
        return getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
    finally:
        if is_sqlite:
            milliseconds = connection.settings_dict["OPTIONS"]["timeout"] * 1000
            connection.connection.execute(f"PRAGMA busy_timeout = {milliseconds}")
    return True


@lru_cache(maxsize=1)
def known_migrations() -> frozenset[tuple[str, str]]:
    """Return (app label, name) of the program's migrations; cached, as they don't change while it runs."""
    return frozenset(MigrationLoader(None).disk_migrations)


VIEWS = {"/health/live": live, "/health/ready": ready, "/metrics": metrics}


class HealthMiddleware:
    """Answer health checks and scrapes whatever host they name: those of a cluster name the address of one container.

    Comes before the first middleware that checks the host. Nothing in these answers depends on it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        view = VIEWS.get(request.path_info.removesuffix("/"))
        return view(request) if view else self.get_response(request)
