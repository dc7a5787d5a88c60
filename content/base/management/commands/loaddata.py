from django.core.management.commands import loaddata
from django.core.serializers.base import DeserializedObject

from content.base.management.refusal import refuse_bookkeeping


class Command(loaddata.Command):
    """Django's command, except that it refuses the program's own bookkeeping, and so rolls back the whole file."""

    def save_obj(self, obj: DeserializedObject) -> bool:
        saved = super().save_obj(obj)
        if saved:  # false for an excluded model
            refuse_bookkeeping(type(obj.object))
        return saved
