from django.apps import AppConfig


class PalettesConfig(AppConfig):
    name = "content.palettes"
    label = "palettes"
    verbose_name = "Palettes"

    def ready(self) -> None:
        from content.palettes import receivers

        receivers.connect()
