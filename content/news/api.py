from content.base.api import Endpoint, build_router
from content.news.models import Comment, Post

posts = Endpoint(
    Post, path="posts", fields=("user_id", "title", "body"), order=("-id", "title", "user_id"), search=("title", "body")
)
comments = Endpoint(
    Comment,
    path="comments",
    fields=("post", "name", "email", "body"),
    parents={"post": posts},
    order=("-id", "name", "email"),
    search=("name", "email", "body"),
)

router = build_router(posts, comments)
