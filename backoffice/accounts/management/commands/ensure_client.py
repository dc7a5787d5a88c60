"""Create the account of a program that uses the API."""

from django.contrib.auth.models import Permission
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from backoffice.accounts.management.passwords import password_of, set_password
from backoffice.accounts.models import User


class Command(BaseCommand):
    help = "Create an account for a program, with the permissions given. One that is there only gets the password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the user name")
        parser.add_argument("--password-env", required=True, metavar="NAME", help="the variable with the password")
        parser.add_argument(
            "--permissions", nargs="+", default=[], metavar="APP.CODENAME", help="such as news.view_post"
        )

    @transaction.atomic
    def handle(self, *, name: str, password_env: str, permissions: list[str], **options: object) -> None:
        password = password_of(password_env)
        user = User.objects.filter(username=name).first()
        if user is None:
            user = User.objects.create_user(username=name, password=password)
            user.user_permissions.set([permission(text) for text in permissions])
            self.stdout.write(f"{name} is created.")
        elif not user.check_password(password):
            set_password(user, password)
            self.stdout.write(f"{name} has a new password.")
        else:
            self.stdout.write(f"{name} is there.")


def permission(text: str) -> Permission:
    """Return the permission of `APP.CODENAME`.

    Raises:
        CommandError: it does not exist.
    """
    app_label, _, codename = text.partition(".")
    match = Permission.objects.filter(content_type__app_label=app_label, codename=codename).first()
    if match is None:
        raise CommandError(f"There is no permission {text}.")
    return match
