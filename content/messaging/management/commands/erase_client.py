from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from content.messaging.services import erase_client


class Command(BaseCommand):
    """Asks for the client's id where it is not given: what is typed after a command stays in the shell's history."""

    help = "Erase a client: id and texts, in messages, their history, and wherever else they are kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("client", nargs="?", help="the client's id; asked for where it is missing")
        parser.add_argument("--reason", required=True, help="why, without naming the client; it is kept")

    def handle(self, *_args: Any, **options: Any) -> None:
        client = options["client"] or input("Client's id: ")
        try:
            made = erase_client(client=client, user=None, reason=options["reason"])
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        elsewhere = "".join(f", {number} {what}" for what, number in made.counts.items())
        self.stdout.write(f"Erased {made.messages} messages{elsewhere}.")
