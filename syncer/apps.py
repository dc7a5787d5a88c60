import pkgutil
from importlib import import_module

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class SyncerConfig(AppConfig):
    name = "syncer"
    verbose_name = "Sync"

    def ready(self) -> None:
        from syncer import targets

        for module in pkgutil.iter_modules(targets.__path__):
            if module.ispkg:
                import_module(f"syncer.targets.{module.name}.kind")
        autodiscover_modules("sync")
