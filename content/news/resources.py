from content.base.resource import ContentResource
from content.news.models import Comment, Post


class PostResource(ContentResource):
    class Meta:
        model = Post
        fields = ("id", "user_id", "title", "body")


class CommentResource(ContentResource):
    class Meta:
        model = Comment
        fields = ("id", "post", "name", "email", "body")
