"""Content at the JSON API, in a few declarative lines:

posts = Resource(Post, path="posts", fields=("user_id", "title", "body"))
router = build_router(posts)
"""

from typing import Any

from backoffice.kit.api import resource
from backoffice.kit.api.problems import FieldError
from backoffice.kit.api.router import build_router
from content.base import rules

__all__ = ["Resource", "build_router"]


class Resource(resource.Resource):
    """A content model at the API: what a person may write is decided as in the admin and in files."""

    def refusals(self, obj: Any, *, user: Any, before: resource.Values) -> list[FieldError]:
        refused = rules.refusals(obj, user=user, before=before)
        return [FieldError(one.field, f"{one.message[:-1]}; leave it out.") for one in refused]

    def check_links(self, obj: Any, *, user: Any, before: resource.Values) -> None:
        rules.check_links(obj, user=user, before=before)
