from content.base.api import Resource, build_router
from content.news.models import Comment, Post

posts = Resource(
    Post, path="posts", fields=("user_id", "title", "body"), sort=("-id", "title", "user_id"), search=("title", "body")
)
comments = Resource(
    Comment,
    path="comments",
    fields=("post", "name", "email", "body"),
    parents={"post": posts},
    sort=("-id", "name", "email"),
    search=("name", "email", "body"),
)

router = build_router(posts, comments)
