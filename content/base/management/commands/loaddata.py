from django.core.management.commands import loaddata
from django.core.serializers.base import DeserializedObject

from content.base.management.refusal import refuse_bookkeeping


class Command(loaddata.Command):
    """Django's, but for the rows that the program keeps itself. One transaction holds the whole file."""

    def save_obj(self, obj: DeserializedObject) -> bool:
        saved = super().save_obj(obj)
        if saved:  # else it was excluded
            refuse_bookkeeping(type(obj.object))
        return saved
