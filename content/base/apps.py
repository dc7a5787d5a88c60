from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate


class ContentBaseConfig(AppConfig):
    name = "content.base"
    label = "content"

    def ready(self) -> None:
        from content.base import search
        from content.base.history import checks, triggers  # noqa: F401 - registers the checks

        pre_migrate.connect(triggers.before_migrations, sender=self)
        post_migrate.connect(triggers.after_migrations, sender=self)
        post_migrate.connect(search.after_migrations, sender=self)
        connection_created.connect(triggers.add_cause, dispatch_uid="content.base.cause")
