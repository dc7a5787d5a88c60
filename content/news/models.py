from django.db import models

from content.base.fields import integer_constraint, order_indexes, text_constraint, text_field
from content.base.models import ContentModel

LOCAL_USER_ID = 99999942  # marks the posts that were made here


class Post(ContentModel):
    field_permissions = {"user_id": "news.set_user_id"}
    searched = ("title", "body")

    user_id = models.IntegerField(
        "user id",
        default=LOCAL_USER_ID,
        help_text=f"The number of the post's author at the target. {LOCAL_USER_ID} for posts made here.",
    )
    title = text_field(256, help_text="One line, at most 256 characters.")
    body = text_field(1024, help_text="The text of the post, at most 1024 characters.")

    class Meta(ContentModel.Meta):
        abstract = False
        constraints = [integer_constraint("user_id"), text_constraint("title", 256), text_constraint("body", 1024)]
        indexes = order_indexes("news_post", "title", "user_id")
        permissions = [("set_user_id", "Can set the user id of a post")]

    def __str__(self) -> str:
        return self.title


class Comment(ContentModel):
    searched = ("name", "email", "body")

    post = models.ForeignKey(
        Post,
        on_delete=models.CASCADE,
        related_name="comments",
        help_text="The post that is commented on. Deleting it deletes its comments.",
    )
    name = text_field(128, help_text="The comment's heading, at most 128 characters.")
    email = models.EmailField(max_length=128, help_text="The address of the person who commented.")
    body = text_field(1024, help_text="The text of the comment, at most 1024 characters.")

    class Meta(ContentModel.Meta):
        abstract = False
        constraints = [text_constraint("name", 128), text_constraint("email", 128), text_constraint("body", 1024)]
        indexes = order_indexes("news_comment", "name", "email")

    def __str__(self) -> str:
        return self.name
