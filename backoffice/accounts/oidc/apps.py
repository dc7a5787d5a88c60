from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class OidcConfig(AppConfig):
    name = "backoffice.accounts.oidc"
    label = "oidc"
    verbose_name = "OpenID Connect"

    def ready(self) -> None:
        from backoffice.accounts.roles import BY_SLUG

        if settings.OIDC_NEW_ROLE and settings.OIDC_NEW_ROLE not in BY_SLUG:
            raise ImproperlyConfigured(
                f"OIDC_NEW_ROLE is {settings.OIDC_NEW_ROLE!r}; it may be one of: {', '.join(BY_SLUG)}."
            )
