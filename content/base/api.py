"""The JSON API of a content model, in a few declarative lines:

posts = Resource(Post, path="posts", fields=("user_id", "title", "body"))
router = build_router(posts)
"""

from backoffice.kit.api.resource import Resource
from backoffice.kit.api.router import build_router

__all__ = ["Resource", "build_router"]
