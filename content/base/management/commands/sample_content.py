from importlib import import_module
from random import Random
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils.module_loading import module_has_submodule

from content.base.models import ContentModel

SEED = 42


class Command(BaseCommand):
    """Fills an empty database from each domain's `samples.create(random)`; the same content every time.

    A domain that has content before any person made some says in `samples.is_empty()` whether that is all.
    """

    help = "Write generated sample content, if there is no content yet."

    def handle(self, *_args: Any, **_options: Any) -> None:
        domains = [config for config in apps.get_app_configs() if config.name in settings.CONTENT_APPS]
        if not all(is_empty(domain) for domain in domains):
            self.stdout.write("There is content already; no samples were written.")
            return
        random, written = Random(SEED), 0  # noqa: S311 - the same content every time is the purpose
        with transaction.atomic():
            for domain in domains:
                if samples := samples_of(domain):
                    written += samples.create(random)
        self.stdout.write(f"Wrote {written} samples.")


def samples_of(domain: AppConfig) -> Any:
    """The domain's module of samples, if it has one."""
    return import_module(f"{domain.name}.samples") if module_has_submodule(domain.module, "samples") else None


def is_empty(domain: AppConfig) -> bool:
    samples = samples_of(domain)
    if hasattr(samples, "is_empty"):
        return bool(samples.is_empty())
    models = [model for model in domain.get_models() if issubclass(model, ContentModel)]
    return not any(model._base_manager.exists() for model in models)
