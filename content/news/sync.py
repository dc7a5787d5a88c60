"""The fields of posts and comments that a sync may carry."""

from content.news.models import Comment, Post
from syncer.public import declare

declare(Post, fields=("user_id", "title", "body"), natural_key=("user_id", "title"))
declare(Comment, fields=("post", "name", "email", "body"), natural_key=("post", "email", "name"), parent="post")
