from django.apps import AppConfig


class SignInConfig(AppConfig):
    name = "backoffice.kit.sign_in"
    label = "sign_in"
    verbose_name = "Sign in"

    def ready(self) -> None:
        from backoffice.kit.sign_in import receivers  # noqa: F401 - connects them; needs the models
