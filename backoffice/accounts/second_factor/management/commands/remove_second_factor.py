from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backoffice.accounts.models import User
from backoffice.accounts.second_factor import service


class Command(BaseCommand):
    help = "Take the second factor of an account away: its password is enough then."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None or user.second_factor_at is None:
            raise CommandError(f"There is no account {username!r} with a second factor.")
        service.remove(user)
        self.stdout.write(f"The second factor of {username} is taken away.")
