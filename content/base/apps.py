from typing import Any

from django.apps import AppConfig
from django.db import models
from simple_history.signals import post_create_historical_record


class ContentBaseConfig(AppConfig):
    name = "content.base"
    label = "content"

    def ready(self) -> None:
        post_create_historical_record.connect(_changed, dispatch_uid="content.base.changed")


def _changed(instance: models.Model, **_: Any) -> None:
    """Single writes, deletes and cascades all come through here; bulk writes say it themselves."""
    from syncer import public

    public.changed(type(instance))
