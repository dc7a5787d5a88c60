"""What all editors have in common. Each runs in a process of its own, see `editing`."""

import random
import time
from collections.abc import Callable
from typing import Any, NoReturn

from django.apps import apps
from django.db import InterfaceError, OperationalError, connection

from tests.chaos.ledger import MODELS, Change, Ledger, Values, Write

TRIES = 60
PAUSE = 0.25  # seconds before a write is tried again
AUTHOR, OTHER_AUTHOR = 99999942, 7  # the filter of a route lets the first through
ENDED = (OperationalError, InterfaceError)

Door = Callable[[], Write | None]


class UncertainError(Exception):
    """Nobody can say what became of the write."""


class RefusedError(Exception):
    """It was not done, and would not be another time: what it needs is gone."""


def model_of(label: str) -> Any:
    return apps.get_model(label)


class Editor:
    """Writes at random, by the seed and the number of the step, and remembers what was acknowledged."""

    pause = 0.3  # seconds between two steps, on average

    def __init__(self, name: str, seed: str) -> None:
        self.name, self.seed = name, seed
        self.ledger = Ledger()
        self.stamps = 0
        self.choice = random.Random()

    def doors(self) -> dict[Door, float]:
        """What this editor does, and how often beside the others. A door gives None where there is nothing for it."""
        raise NotImplementedError

    def run(self, begin: float, seconds: float) -> None:
        """Write from `begin` (Unix time) on. The seed says what is done at which second; who is late does not wait."""
        at, step = 0.0, 0
        while True:
            step += 1
            self.choice = random.Random(f"{self.seed}/{self.name}/{step}")
            at += self.choice.expovariate(1 / self.pause)
            if at > seconds or time.time() > begin + seconds:
                return
            time.sleep(max(0.0, begin + at - time.time()))
            doors = self.doors()
            door = self.choice.choices(list(doors), list(doors.values()))[0]
            if write := door():
                self.carry_out(write)

    def carry_out(self, write: Write) -> None:
        """Do it, until it is known to be done or refused: what the database cut off is looked up, never guessed."""
        for _ in range(TRIES):
            try:
                write.do()
            except RefusedError as refusal:
                self.ledger.refusals.append(f"{write.door}: {refusal}"[:500])
                self.sure(self.forget_gone)
                return
            except UncertainError as error:
                trouble = {"at": time.time(), "door": write.door, "error": str(error)[:500]}
                self.ledger.troubles.append(trouble)
                time.sleep(PAUSE)
                if not self.sure(lambda: self.landed(write)):
                    continue
            self.sure(lambda: self.find_keys(write))
            self.ledger.acknowledge(write)
            return
        raise RuntimeError(f"{self.name}: {write.door} was not done in {TRIES} tries: {self.ledger.troubles[-1]}")

    # --- looking -----------------------------------------------------------------------------------------------------
    def sure(self, look: Callable[[], Any]) -> Any:
        """What `look` finds in the database, however often it ends our connection."""
        for _ in range(TRIES):
            try:
                return look()
            except ENDED:
                connection.close()
                time.sleep(PAUSE)
        raise RuntimeError(f"{self.name}: the database can't be asked")

    def landed(self, write: Write) -> bool:
        """Whether it was done. One object tells, as a write is one transaction.

        What it made may be deleted again by another editor, and what others change too may be changed again: there the
        history tells.
        """
        change = write.changes[0]
        model = model_of(change.model)
        if change.values is None:
            return not model.objects.filter(pk=change.pk).exists()
        if change.pk is None or write.shared:
            return bool(model.history.filter(body=change.values["body"]).exists())
        return bool(model.objects.filter(pk=change.pk, **change.values).exists())

    def find_keys(self, write: Write) -> None:
        """Give what is new its key."""
        for change in write.changes:
            if change.pk is None:
                assert change.values
                made = model_of(change.model).history.filter(body=change.values["body"], history_type="+")
                change.pk = made.values_list("id", flat=True).get()

    def forget_gone(self) -> None:
        """Another editor deleted the post that comments of ours hung under: they went with it."""
        for label, objects in self.ledger.objects.items():
            there = set(model_of(label).objects.filter(pk__in=list(objects)).values_list("pk", flat=True))
            for pk in objects.keys() - there:
                del objects[pk]

    # --- values ------------------------------------------------------------------------------------------------------
    def stamp(self) -> str:
        """A text that no other write of any editor has."""
        self.stamps += 1
        return f"{self.name} {self.stamps}"

    def new_post(self) -> Values:
        """The first word of its title is its mark, which it keeps for life."""
        stamp = self.stamp()
        return {"user_id": AUTHOR, "title": f"{stamp.replace(' ', '-')} first", "body": stamp}

    def new_comment(self, post: int) -> Values:
        stamp = self.stamp()
        name = f"{stamp.replace(' ', '-')} first"
        return {"post_id": post, "name": name, "email": f"{self.name}@example.com", "body": stamp}

    def edited(self, label: str, pk: int) -> Values:
        """Other texts for an object of ours; now and then a post is passed on to another author, or taken back."""
        stamp, column = self.stamp(), "title" if label == "news.Post" else "name"
        old = self.ledger.objects[label][pk]
        values: Values = {"body": stamp}
        if self.choice.random() < 0.5:
            values[column] = f"{old[column].split()[0]} {stamp}"
        if label == "news.Post" and self.choice.random() < 0.15:
            values["user_id"] = OTHER_AUTHOR if old["user_id"] == AUTHOR else AUTHOR
        return values

    def pick(self, label: str, most: int = 1) -> list[int]:
        """Up to `most` keys of our objects; [] where there are none."""
        keys = list(self.ledger.objects[label])
        return self.choice.sample(keys, min(len(keys), self.choice.randint(1, most))) if keys else []

    def pick_one(self, label: str) -> int | None:
        """The key of one of our objects; None: there is none."""
        return next(iter(self.pick(label)), None)

    def label(self) -> str:
        return self.choice.choice(MODELS)

    def pick_any(self) -> tuple[str, int | None]:
        """The model and the key of one of our objects."""
        label = self.label()
        return label, self.pick_one(label)


def change(label: str, pk: int | None, values: Values | None) -> Change:
    return Change(model=label, pk=pk, values=values)


def uncertain(error: Exception) -> NoReturn:
    """Our connection was ended in the middle."""
    ended()
    raise UncertainError(str(error)) from error


def ended() -> None:
    """What our connection was at is over when its process at the database is."""
    backend = connection.connection.info.backend_pid if connection.connection is not None else 0
    connection.close()
    for _ in range(TRIES):
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [backend])
                if cursor.fetchone() is None:
                    return
        except ENDED:
            connection.close()
        time.sleep(PAUSE)
