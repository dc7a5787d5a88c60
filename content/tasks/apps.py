from django.apps import AppConfig


class TasksConfig(AppConfig):
    name = "content.tasks"
    label = "tasks"
    verbose_name = "Tasks"
