from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, SingleNumericFilter

from content.base.admin import ContentAdmin, ContentInline
from content.news.models import Comment, Post
from content.news.resources import CommentResource, PostResource


class CommentInline(ContentInline):
    model = Comment
    fields = ("name", "email", "body")


@admin.register(Post)
class PostAdmin(ContentAdmin):
    list_display = ("title", "id", "user_id")
    list_filter = (("user_id", SingleNumericFilter),)
    search_fields = ("title", "body")
    fields = ("title", "body", "user_id")
    inlines = (CommentInline,)
    resource_classes = (PostResource,)


@admin.register(Comment)
class CommentAdmin(ContentAdmin):
    list_display = ("name", "id", "email", "post")
    list_filter = (("post", AutocompleteSelectFilter),)
    list_select_related = ("post",)
    search_fields = ("name", "email", "body", "post__title")
    fields = ("post", "name", "email", "body")
    autocomplete_fields = ("post",)
    resource_classes = (CommentResource,)
