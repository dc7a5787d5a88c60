from django.apps import AppConfig


class IdempotencyConfig(AppConfig):
    name = "backoffice.kit.idempotency"
    label = "idempotency"
    verbose_name = "Kept answers"
