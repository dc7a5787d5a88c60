"""The fields of posts and comments that a sync may carry."""

from django.utils.text import slugify

from content.news.models import Comment, Post
from syncer.public import declare


def slug(title: str) -> str:
    """Return the title as a part of a web address: "Opening hours" becomes "opening-hours"."""
    return slugify(title)


declare(
    Post,
    fields=("user_id", "title", "body"),
    natural_key=("user_id", "title"),
    computed={"slug": slug},
)
declare(Comment, fields=("post", "name", "email", "body"), natural_key=("post", "email", "name"), parent="post")
