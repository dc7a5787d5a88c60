from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "backoffice.kit.jobs"
    label = "jobs"
    verbose_name = "Jobs"
