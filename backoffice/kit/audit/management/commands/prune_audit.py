"""Delete old entries of the audit trail, the only way in which entries go."""

from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from backoffice.kit import clock
from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.models import Entry, Retention
from backoffice.kit.audit.record import record

DAYS_LEAST = 30
PAGE = 5_000  # entries deleted in one transaction


class Command(BaseCommand):
    help = "Delete the entries of the audit trail that are older than so many days. That this was done is recorded."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days", type=int, required=True, help=f"keep the entries of so many days: {DAYS_LEAST} or more"
        )

    def handle(self, *, days: int, **options: object) -> None:
        if days < DAYS_LEAST:
            raise CommandError(f"--days is {days}; at least {DAYS_LEAST} days are kept.")
        before = clock.now() - timedelta(days=days)
        old = Entry.objects.filter(at__lt=before).order_by()
        number = 0
        while page := list(old.values_list("pk", flat=True)[:PAGE]):
            with transaction.atomic():
                permit = Retention.objects.create(before=before)
                number += old.filter(pk__in=page).delete()[0]
                permit.delete()
        record(Action.PRUNED, before=before, number=number)
        self.stdout.write(f"Entries deleted: {number}.")
