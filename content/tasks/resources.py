from content.base.resource import ContentResource
from content.tasks.models import Item


class ItemResource(ContentResource):
    """The fields that people write. The API also has the fields that the program writes."""

    class Meta:
        model = Item
        fields = ("id", "title", "description", "external_id")
