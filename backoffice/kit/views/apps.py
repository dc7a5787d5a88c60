from django.apps import AppConfig


class ViewsConfig(AppConfig):
    name = "backoffice.kit.views"
    label = "views"
    verbose_name = "Saved views"
