from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "backoffice.accounts"
    label = "accounts"
    verbose_name = _("People")

    def ready(self) -> None:
        from backoffice.accounts import audit  # these need the models
        from backoffice.accounts.role_groups import complete_roles

        audit.start()
        post_migrate.connect(complete_roles, dispatch_uid="accounts.roles")
