"""The Content-Security-Policy of every answer: our own files only, and no script in a page.

Two kinds of pages need more than the rest, and only they get it; see docs/adr/0027.
"""

from collections.abc import Callable, Mapping

from django.http import HttpRequest, HttpResponseBase

HEADER = "Content-Security-Policy"
Policy = Mapping[str, str]  # the sources, by directive

STRICT: Policy = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",  # the node's icon is a data URL
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
# The theme's Alpine evaluates the expressions in its pages' attributes, and the theme writes the node's colors and some
# sizes into the page.
ADMIN: Policy = {**STRICT, "script-src": "'self' 'unsafe-eval'", "style-src": "'self' 'unsafe-inline'"}
# Swagger and ReDoc make their styles, and ReDoc its search, while they run.
API_DOCS: Policy = {**STRICT, "style-src": "'self' 'unsafe-inline'", "worker-src": "blob:"}


def text(policy: Policy) -> str:
    """Return the policy as the header's value."""
    return "; ".join(f"{directive} {sources}" for directive, sources in policy.items())


class ContentSecurityPolicyMiddleware:
    """Give each answer the policy of its address, where the view gave it none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        policy = ADMIN if request.path_info.startswith("/admin/") else STRICT
        response.headers.setdefault(HEADER, text(policy))
        return response
