from django.apps import AppConfig


class OperationsConfig(AppConfig):
    """The commands of operators that concern the database as a whole: backup, restore, migrate."""

    name = "backoffice.operations"
    label = "operations"
    verbose_name = "Operations"
