from django.apps import AppConfig


class SessionsConfig(AppConfig):
    name = "backoffice.kit.sessions"
    label = "kit_sessions"  # `sessions` is Django's app, whose migrations an older database may have
    verbose_name = "Sessions"

    def ready(self) -> None:
        from backoffice.kit.sessions import receivers  # noqa: F401 - connects them; needs the models
