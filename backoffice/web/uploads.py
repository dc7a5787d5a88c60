"""How much a person may send to an address beyond what any form may hold: only a file to import is longer."""

from typing import Any

from django.contrib.auth import get_user
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from backoffice.kit.database import refresh_connections
from backoffice.web.environ import Environ
from backoffice.wsgi import Request
from content.base.transfer import MAX_BYTES, TransferAdmin

AROUND = 1_000_000  # bytes of the rest of the form


def most_bytes(environ: Environ) -> int:
    """Return how many bytes the person whose session this is may send to this address; 0: no more than usual.

    Raises:
        django.db.Error: the database can't be asked.
    """
    request = Request(environ)
    page = _import_page(request)
    if page is None:
        return 0
    refresh_connections()
    SessionMiddleware(lambda _: HttpResponse()).process_request(request)
    request.user = get_user(request)
    may = page.admin_site.has_permission(request) and page.has_import_permission(request)
    return MAX_BYTES + AROUND if may else 0


def _import_page(request: HttpRequest) -> TransferAdmin | None:
    """Return the admin whose form for a file is at this address, None if there is none."""
    try:
        match = resolve(request.path_info)
    except Resolver404:
        return None
    view: Any = getattr(match.func, "__wrapped__", None)  # the admin's method
    page = getattr(view, "__self__", None)
    return page if isinstance(page, TransferAdmin) and view == page.import_action else None
