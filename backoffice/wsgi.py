"""The web server's entry point."""

import gc
import os
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")


class Request(WSGIRequest):
    """Django's request, which survives a Content-Type with an unknown character set."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        """Ignore a parameter in a character set that does not exist (RFC 2231): Django raises before its handlers."""
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]
        except ValueError:
            self.content_type, self.content_params = "", {}


class Handler(WSGIHandler):
    request_class = Request


django.setup(set_prefix=False)
application = Handler()
_ = get_resolver().url_patterns  # loads the pages and the API, before the first request
gc.collect()
gc.freeze()  # what is loaded stays: each full collection would walk all of it, in the middle of a request
