import pkgutil
from importlib import import_module

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class SyncerConfig(AppConfig):
    name = "syncer"
    verbose_name = "Sync"

    def ready(self) -> None:
        from backoffice.kit.audit.actions import Action
        from backoffice.kit.audit.watch import Watch
        from syncer import targets
        from syncer.models import Route, Target

        for module in pkgutil.iter_modules(targets.__path__):
            if module.ispkg:
                import_module(f"syncer.targets.{module.name}.kind")
        autodiscover_modules("sync")
        for model, created, changed, deleted in (
            (Target, Action.TARGET_CREATED, Action.TARGET_CHANGED, Action.TARGET_DELETED),
            (Route, Action.ROUTE_CREATED, Action.ROUTE_CHANGED, Action.ROUTE_DELETED),
        ):
            Watch(model=model, created=created, changed=changed, deleted=deleted).start()
