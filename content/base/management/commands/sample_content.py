from importlib import import_module
from random import Random
from types import ModuleType

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils.module_loading import module_has_submodule

from content.base.models import ContentModel

SEED = 42


class Command(BaseCommand):
    """Fill an empty database with each domain's `samples.create(random)`, the same content every time.

    A domain that has content before anybody created any defines `samples.is_empty()`.
    """

    help = "Write generated sample content, if there is no content yet."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("domains", nargs="*", metavar="domain", help="such as news; without any, all of them")

    def handle(self, *_args: object, domains: list[str], **_options: object) -> None:
        by_label = {config.label: config for config in apps.get_app_configs() if config.name in settings.CONTENT_APPS}
        if unknown := sorted({*domains} - {*by_label}):
            raise CommandError(f"There is no domain {', '.join(unknown)}; there are {', '.join(by_label)}.")
        configs = [by_label[label] for label in domains or by_label]
        if not all(is_empty(domain) for domain in configs):
            self.stdout.write("There is content already; no samples were written.")
            return
        written = 0
        with transaction.atomic():
            for domain in configs:
                if samples := samples_of(domain):
                    # One generator for each domain, so that its content does not depend on the other domains.
                    written += samples.create(Random(f"{SEED} {domain.label}"))  # noqa: S311 - reproducible on purpose
        self.stdout.write(f"Wrote {written} samples.")


def samples_of(domain: AppConfig) -> ModuleType | None:
    """Return the domain's module `samples`; None if it has none."""
    return import_module(f"{domain.name}.samples") if module_has_submodule(domain.module, "samples") else None


def is_empty(domain: AppConfig) -> bool:
    """Return whether the domain has no content yet."""
    samples = samples_of(domain)
    if samples and hasattr(samples, "is_empty"):
        return bool(samples.is_empty())
    models = [model for model in domain.get_models() if issubclass(model, ContentModel)]
    return not any(model._base_manager.exists() for model in models)
