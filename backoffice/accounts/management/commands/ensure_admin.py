"""Create the first administrator. The password comes from the environment, so that no list of processes shows it."""

import os

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from backoffice.accounts.models import User

VARIABLE = "BACKOFFICE_ADMIN_PASSWORD"
OTHER_PASSWORD = 3  # exit status


class Command(BaseCommand):
    help = (
        f"Create the administrator with the password in {VARIABLE}. One that is there stays as it is; "
        f"the exit status is {OTHER_PASSWORD} if it has another password."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", default="admin", help="the user name (default: admin)")
        parser.add_argument("--reset", action="store_true", help="set the password of one that is there")

    def handle(self, *, name: str, reset: bool, **options: object) -> None:
        password = os.environ.get(VARIABLE, "")
        user = User.objects.filter(username=name).first()
        if not password:
            raise CommandError(f"{VARIABLE} is not set.")
        if user is None:
            check_strength(password, VARIABLE)
            User.objects.create_superuser(username=name, password=password)
            self.stdout.write(f"{name} is created.")
        elif reset:
            check_strength(password, VARIABLE)
            user.set_password(password)
            user.save(update_fields=["password"])
            self.stdout.write(f"{name} has a new password.")
        elif not user.check_password(password):
            raise CommandError(f"{name} has another password; --reset sets this one.", returncode=OTHER_PASSWORD)
        else:
            self.stdout.write(f"{name} is there.")


def check_strength(password: str, variable: str) -> None:
    """Validate the password of the environment's `variable` in production; a development node accepts any.

    Raises:
        CommandError: the password is too weak.
    """
    if not settings.PRODUCTION:
        return
    try:
        validate_password(password)
    except ValidationError as error:
        raise CommandError(f"{variable}: {' '.join(error.messages)}") from error
