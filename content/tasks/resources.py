from content.base.resource import ContentResource
from content.tasks.models import Item


class ItemResource(ContentResource):
    """What a person writes. What the program writes is read at the API."""

    class Meta:
        model = Item
        fields = ("id", "title", "description", "external_id")
