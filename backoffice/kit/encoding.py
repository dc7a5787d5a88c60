"""Addresses and forms are UTF-8: Django replaces each wrong byte by U+FFFD, and another text would be saved."""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _

REPLACED = "\ufffd"
URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"


def is_utf_8(encoded: str | bytes) -> bool:
    """Return whether the percent-encoded text is UTF-8; a string has one character a byte, as WSGI gives it."""
    data = encoded.encode("latin-1", "replace") if isinstance(encoded, str) else encoded
    try:
        unquote_to_bytes(data).decode() if b"%" in data else data.decode()
    except UnicodeDecodeError:
        return False
    return True


class EncodingMiddleware:
    """Refuse a page's address or form that is not UTF-8; the API refuses its own.

    Raises:
        BadRequest: it is not.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_utf_8(request.META.get("QUERY_STRING", "")):
            raise BadRequest(_("The address is not UTF-8 text. Open the page again from its link."))
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> None:
        """Look at the form once it may be read: the parts of a multipart form are gone when they have been parsed."""
        if request.method != "POST" or request.content_type not in (URLENCODED, MULTIPART):
            return
        if (request.content_params or {}).get("charset", "utf-8").lower() != "utf-8":
            is_fine = False
        elif request.content_type == URLENCODED:
            is_fine = is_utf_8(request.body)
        else:
            is_fine = not any(REPLACED in text for texts in request.POST.lists() for text in (texts[0], *texts[1]))
        if not is_fine:
            raise BadRequest(_("The form is not UTF-8 text, so that nothing was saved. Send it again in UTF-8."))
