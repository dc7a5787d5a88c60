from django.apps import AppConfig


class ContentBaseConfig(AppConfig):
    name = "content.base"
    label = "content"
