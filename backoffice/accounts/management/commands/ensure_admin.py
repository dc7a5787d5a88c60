"""Create the first administrator."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backoffice.accounts.management.passwords import check_strength, password_of, set_password
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
        password = password_of(VARIABLE)
        user = User.objects.filter(username=name).first()
        if user is None:
            check_strength(password, VARIABLE)
            User.objects.create_superuser(username=name, password=password)
            self.stdout.write(f"{name} is created.")
        elif reset:
            check_strength(password, VARIABLE)
            set_password(user, password)
            self.stdout.write(f"{name} has a new password.")
        elif not user.check_password(password):
            raise CommandError(f"{name} has another password; --reset sets this one.", returncode=OTHER_PASSWORD)
        else:
            self.stdout.write(f"{name} is there.")
