from import_export import resources

from bench.rivals.site.models import RecordedPost


class PostResource(resources.ModelResource):
    """Out of the box."""

    class Meta:
        model = RecordedPost
        fields = ("id", "user_id", "title", "body")
