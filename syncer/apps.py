from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class SyncerConfig(AppConfig):
    name = "syncer"
    verbose_name = "Sync"

    def ready(self) -> None:
        from syncer.engine.worker import cluster  # needs the queue's models

        autodiscover_modules("sync")
        cluster.join()
