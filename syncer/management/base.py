"""The base of the sync commands: a target by name, `--json`, errors without a traceback, an exit status."""

import json
import sys
from abc import ABC, abstractmethod
from argparse import ArgumentParser
from collections.abc import Collection
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from backoffice.kit.database import is_unavailable
from syncer.core.errors import SyncError
from syncer.engine.wake import Scope
from syncer.models import Target
from syncer.models.keys import key_of
from syncer.models.mapping import declarations

JsonObject = dict[str, Any]


class SyncCommand(BaseCommand, ABC):
    """A command that prints an answer, and exits with status 1 if something is left undone."""

    takes_target = True  # the first argument is the name of a target

    def add_arguments(self, parser: ArgumentParser) -> None:
        if self.takes_target:
            parser.add_argument("target", help="the target's name")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            answer, is_undone = self.answer(**options)
        except SyncError as error:
            raise CommandError(str(error)) from error
        except Error as error:
            if not is_unavailable(error):
                raise
            raise CommandError(f"The database can't be used now: {str(error).strip().splitlines()[0]}") from error
        self.stdout.write(json.dumps(answer, indent=2, default=str) if options["json"] else self.text(answer))
        if is_undone:
            sys.exit(1)

    @abstractmethod
    def answer(self, *args: Any, **options: Any) -> tuple[JsonObject, bool]:
        """Do the command's work; return the JSON object to print, and whether something is left undone.

        Raises:
            SyncError: becomes a CommandError.
        """

    @abstractmethod
    def text(self, answer: JsonObject) -> str:
        """Return the answer as text for people."""

    def target(self, name: str) -> Target:
        """Return the named target.

        Raises:
            CommandError: there is no such target; the message names the existing ones.
        """
        target = Target.objects.filter(name=name).first()
        if target is None:
            names = ", ".join(Target.objects.values_list("name", flat=True))
            there = names or "none yet; create one with sync_configure"
            raise CommandError(f"There is no target {name!r}. There are: {there}.")
        return target

    def user(self, name: str | None) -> AbstractBaseUser | None:
        """Return the named account; None where no name is given.

        Raises:
            CommandError: there is no such account.
        """
        if name is None:
            return None
        model = get_user_model()
        try:
            return model._default_manager.get_by_natural_key(name)
        except model.DoesNotExist as error:
            raise CommandError(f"There is no user {name!r}.") from error

    def scope(self, target: Target, name: str) -> Scope:
        """Return a scope with the one object that is named as `news.Post:5`: `{"news.Post": ["5"]}`.

        Raises:
            CommandError: no route carries such an object to the target.
        """
        models = list(target.routes.filter(enabled=True).values_list("model", flat=True))
        model, key = object_named(name, models, f"names no object that travels to {target.name}")
        return {model: [key]}


def object_named(name: str, models: Collection[str], why_not: str) -> tuple[str, str]:
    """Return the model and the key of an object that is named as `news.Post:5`: `("news.Post", "5")`.

    Args:
        models: the labels of the models it can be of.
        why_not: what is said of another name, as a predicate.

    Raises:
        CommandError: it is of none of the models, or its key is not valid.
    """
    model, _, key = name.rpartition(":")
    if model not in models or not key:
        raise CommandError(f"{name!r} {why_not}; give {' or '.join(models)}:ID.")
    meta = declarations()[model].model._meta
    try:
        return model, key_of(meta.model, meta.pk.to_python(key))
    except ValidationError as error:
        raise CommandError(f"{key!r} is not a key of {model}: {' '.join(error.messages)}") from error
