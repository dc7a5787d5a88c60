"""Create an account for each ready role, to try them out."""

from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand
from django.db import transaction

from backoffice.accounts.management.passwords import check_strength, password_of
from backoffice.accounts.models import User

VARIABLE = "BACKOFFICE_PEOPLE_PASSWORD"
ROLES = ("viewer", "editor", "importer", "operator")  # the administrator is there already


class Command(BaseCommand):
    help = (
        f"Create the accounts {', '.join(ROLES)}, each with the role of its name, and all with the password in "
        f"{VARIABLE}. Accounts that are there stay as they are."
    )

    @transaction.atomic
    def handle(self, **options: object) -> None:
        password = password_of(VARIABLE)
        check_strength(password, VARIABLE)
        for name in ROLES:
            group = Group.objects.filter(role=name).first()
            if group is not None and not User.objects.filter(username=name).exists():
                user = User.objects.create_user(username=name, password=password, is_staff=True)
                user.groups.add(group)
                self.stdout.write(f"{name} is created.")
