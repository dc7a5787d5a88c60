"""What was sent of objects, and where it was sent."""

from collections.abc import Iterator
from typing import Any

from django.db import models
from django.db.models import F
from django.db.models.functions import Cast

from backoffice.kit.api.pagination import pages
from syncer.models import Binding

COLUMNS = {
    "target": F("route__target__name"),
    "path": F("route__path"),
    "object": F("object_key"),
    "record": F("agreed"),
    "unanswered": F("create_body"),
    "at": F("settled_at"),
}


def sent(model: type[models.Model], objects: "models.QuerySet[Any, Any]") -> Iterator[list[dict[str, Any]]]:
    """Yield pages of what the targets are known to hold of the queried objects, oldest first.

    Each item is `{"target", "path", "object", "remote_id", "record", "unanswered", "at"}`: `record` is the payload that
    was sent and accepted, `unanswered` the payload of a create whose answer was lost.
    """
    keys = objects.order_by().values_list(Cast(model._meta.pk.attname, models.CharField()))
    bindings = Binding.objects.filter(route__model=model._meta.label, object_key__in=keys)
    rows: Any = bindings.values("id", "remote_id", **COLUMNS)
    for page in pages(rows, order=("id",)):
        yield [{name: value for name, value in row.items() if name != "id"} for row in page]
