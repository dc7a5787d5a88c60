from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "backoffice.kit.audit"
    label = "audit"
    verbose_name = "Audit"
