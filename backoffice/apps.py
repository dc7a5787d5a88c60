from django.conf import settings
from django.contrib.admin.apps import AdminConfig
from django.core.signals import request_finished, request_started
from django.db.backends.signals import connection_created

from backoffice.kit import database, lookups, tracing
from backoffice.kit.labels import translate_labels
from backoffice.monitoring import sentry


class SiteConfig(AdminConfig):
    """Replaces Django's admin site by ours, https://docs.djangoproject.com/en/5.2/ref/contrib/admin/#overriding-default-admin-site"""

    default_site = "backoffice.site.Site"

    def ready(self) -> None:
        sentry.start()
        if settings.OTLP_ENDPOINT:
            tracing.require()
        lookups.install()
        translate_labels()  # before the admin is registered
        super().ready()
        connection_created.connect(database.watch, dispatch_uid="backoffice.database")
        request_started.connect(database.trust_recent, dispatch_uid="backoffice.database")
        request_finished.connect(database.remember_use, dispatch_uid="backoffice.database")
