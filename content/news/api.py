from content.base.api import Endpoint, build_router
from content.news.models import Comment, Post

posts = Endpoint(Post, path="posts", fields=("user_id", "title", "body"))
comments = Endpoint(Comment, path="comments", fields=("post", "name", "email", "body"), parents={"post": posts})

router = build_router(posts, comments)
