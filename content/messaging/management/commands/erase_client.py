from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from content.messaging.services import erase_client


class Command(BaseCommand):
    """Erase a client. Without an argument it asks for the id: the shell's history keeps arguments."""

    help = "Erase a client: id and texts, in messages, their history, and wherever else they are kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("client", nargs="?", help="the client's id; asked for where it is missing")
        parser.add_argument("--reason", required=True, help="why, without naming the client; it is kept")

    def handle(self, *_args: object, **options: Any) -> None:
        client = options["client"] or input("Client's id: ")
        try:
            erasure = erase_client(client=client, user=None, reason=options["reason"])
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        elsewhere = "".join(f", {number} {kind}" for kind, number in erasure.counts.items())
        self.stdout.write(f"Erased {erasure.messages} messages{elsewhere}.")
