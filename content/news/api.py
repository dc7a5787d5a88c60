from content.base.api import Endpoint, build_router
from content.news.models import Comment, Post

posts = Endpoint(Post, path="posts", fields=("user_id", "title", "body"), restricted={"user_id": "news.set_user_id"})
comments = Endpoint(Comment, path="comments", fields=("post", "name", "email", "body"), parents={"post": posts})

router = build_router(posts, comments)
