"""The web server's entry point."""

import gc
import os
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.urls import get_resolver
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")


class Request(WSGIRequest):
    """Django's request, whose address and form are UTF-8, whatever character set its Content-Type names."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        """Keep the parameters, but decode nothing by them: Python has character sets, such as hex, that are no text.

        A parameter in one that does not exist (RFC 2231) is ignored: here, nothing handles an error yet.
        """
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except ValueError:
            self.content_type, self.content_params = "", {}


class Handler(WSGIHandler):
    request_class = Request


django.setup(set_prefix=False)
application = Handler()
_ = get_resolver().url_patterns  # loads the pages and the API, before the first request
gc.collect()
gc.freeze()  # what is loaded stays: each full collection would walk all of it, in the middle of a request
