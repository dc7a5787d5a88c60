from django.apps import AppConfig


class NewsConfig(AppConfig):
    name = "content.news"
    label = "news"
    verbose_name = "News"
