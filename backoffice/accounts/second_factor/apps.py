from django.apps import AppConfig


class SecondFactorConfig(AppConfig):
    name = "backoffice.accounts.second_factor"
    label = "second_factor"
    verbose_name = "Second factor"
