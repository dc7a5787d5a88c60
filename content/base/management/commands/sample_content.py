from importlib import import_module
from importlib.util import find_spec
from random import Random
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction

from content.base.models import ContentModel

SEED = 42


class Command(BaseCommand):
    """Fills an empty database from each domain's `samples.create(random)`; the same content every time."""

    help = "Write generated sample content, if there is no content yet."

    def handle(self, *_args: Any, **_options: Any) -> None:
        if any(model._base_manager.exists() for model in apps.get_models() if issubclass(model, ContentModel)):
            self.stdout.write("There is content already; no samples were written.")
            return
        random, written = Random(SEED), 0  # noqa: S311 - the same content every time is the purpose
        with transaction.atomic():
            for app in settings.CONTENT_APPS:
                if find_spec(f"{app}.samples"):
                    written += import_module(f"{app}.samples").create(random)
        self.stdout.write(f"Wrote {written} samples.")
