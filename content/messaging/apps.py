from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "content.messaging"
    label = "messaging"
    verbose_name = "Messaging"
