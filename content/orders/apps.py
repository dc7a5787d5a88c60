from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "content.orders"
    label = "orders"
    verbose_name = "Orders"
