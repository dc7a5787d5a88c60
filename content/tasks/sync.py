"""The fields of items that a sync may carry."""

from content.tasks.models import Item
from syncer.public import declare

declare(
    Item,
    fields=("title", "description", "external_id", "summary", "summary_source"),
    natural_key=("title", "external_id"),
)
