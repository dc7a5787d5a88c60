"""Compress pages: a list of the admin is a tenth as long then."""

from django.http import HttpRequest, HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class PageCompressionMiddleware(GZipMiddleware):
    """Django's, for HTML only: the API's ETags are strong, which compression would weaken (RFC 9110, section 8.8.1).

    A page's length must not tell its secrets to whoever can have words put into it (BREACH): Django masks the CSRF
    token differently in each answer, and this middleware adds up to a hundred random bytes.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not response.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)
