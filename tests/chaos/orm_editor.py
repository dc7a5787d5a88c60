"""Writes by the ORM: what a command or a domain's own code would do."""

import time
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, IntegrityError, connection, transaction

from content.news.models import Comment, Post
from tests.chaos.editor import ENDED, Door, Editor, RefusedError, change, model_of, uncertain
from tests.chaos.ledger import Change, Values, Write

SLOW = (0.3, 2.5)  # seconds that a slow transaction stays open


class RollbackError(Exception):
    """Rolls a transaction back."""


class OrmEditor(Editor):
    """Also hangs comments under posts of the other editors, which may delete them at any moment."""

    pause = 0.25

    def doors(self) -> dict[Door, float]:
        return {
            self.add_post: 3,
            self.add_comment: 4,
            self.add_many: 1,
            self.edit: 5,
            self.edit_many: 1.5,
            self.edit_shared: 1,
            self.undo: 1.5,
            self.move: 1.5,
            self.remove: 1.5,
            self.remove_many: 0.5,
            self.add_and_remove: 0.7,
            self.slowly: 1.5,
            self.never: 0.7,
        }

    def write(self, door: str, changes: list[Change], work: Callable[[], Any], *, shared: bool = False) -> Write:
        def do() -> None:
            try:
                work()
            except ENDED as error:
                uncertain(error)
            except (IntegrityError, ObjectDoesNotExist) as error:
                raise RefusedError(str(error)) from error

        return Write(door=door, changes=changes, do=do, shared=shared)

    # --- what is new -------------------------------------------------------------------------------------------------
    def add_post(self) -> Write:
        values = self.new_post()
        return self.write("save", [change("news.Post", None, values)], lambda: Post.objects.create(**values))

    def add_comment(self) -> Write | None:
        post = self.anybodys_post()
        if post is None:
            return None
        values = self.new_comment(post)
        return self.write("save", [change("news.Comment", None, values)], lambda: Comment.objects.create(**values))

    def add_many(self) -> Write:
        many = [self.new_post() for _ in range(self.choice.randint(2, 4))]
        changes = [change("news.Post", None, values) for values in many]
        return self.write("bulk_create", changes, lambda: Post.objects.bulk_create(Post(**values) for values in many))

    def anybodys_post(self) -> int | None:
        keys = self.sure(lambda: list(Post.objects.order_by("pk").values_list("pk", flat=True)))
        return self.choice.choice(keys) if keys else None

    # --- what is there -----------------------------------------------------------------------------------------------
    def edit(self) -> Write | None:
        label, pk = self.pick_any()
        return None if pk is None else self.save("save", label, pk, self.edited(label, pk))

    def save(self, door: str, label: str, pk: int, values: Values, *, shared: bool = False) -> Write:
        return self.write(door, [change(label, pk, values)], lambda: save(label, pk, values), shared=shared)

    def edit_many(self) -> Write | None:
        label = self.label()
        keys, values = self.pick(label, 5), {"body": self.stamp()}
        if not keys:
            return None

        def work() -> None:
            with transaction.atomic():
                if model_of(label).objects.filter(pk__in=keys).update(**values) != len(keys):
                    raise RefusedError("one of them is gone")

        return self.write("update", [change(label, pk, dict(values)) for pk in keys], work)

    def edit_shared(self) -> Write | None:
        keys = self.sure(lambda: list(Post.objects.filter(title__startswith="shared").values_list("pk", flat=True)))
        pk, values = self.choice.choice(sorted(keys)), {"body": self.stamp()}
        return self.save("save", "news.Post", pk, values, shared=True)

    def undo(self) -> Write | None:
        """Changed, and at once or a little later changed back: for the target nothing happened, or should soon."""
        label, pk = self.pick_any()
        if pk is None:
            return None
        old = dict(self.ledger.objects[label][pk])
        self.carry_out(self.save("save", label, pk, self.edited(label, pk)))
        time.sleep(self.choice.choice((0.0, 0.5)))
        return self.save("undo", label, pk, old) if pk in self.ledger.objects[label] else None

    def move(self) -> Write | None:
        post, pk = self.anybodys_post(), self.pick_one("news.Comment")
        if pk is None or post is None:
            return None
        return self.save("move", "news.Comment", pk, {"post_id": post, "body": self.stamp()})

    # --- what goes ---------------------------------------------------------------------------------------------------
    def remove(self) -> Write | None:
        label, pk = self.pick_any()
        return None if pk is None else self.delete(label, pk)

    def delete(self, label: str, pk: int) -> Write:
        return self.write("delete", [change(label, pk, None)], lambda: model_of(label).objects.get(pk=pk).delete())

    def remove_many(self) -> Write | None:
        label = self.label()
        keys = self.pick(label, 3)
        changes = [change(label, pk, None) for pk in keys]
        if not keys:
            return None
        return self.write("delete", changes, lambda: model_of(label).objects.filter(pk__in=keys).delete())

    def add_and_remove(self) -> Write | None:
        """Made and deleted a moment later: for the target nothing happened, or it is deleted there too."""
        self.carry_out(self.add_post())
        pk = list(self.ledger.objects["news.Post"])[-1]
        time.sleep(self.choice.choice((0.0, 0.3)))
        return self.delete("news.Post", pk)

    # --- transactions ------------------------------------------------------------------------------------------------
    def slowly(self) -> Write:
        """Its history has its number long before it commits; others commit meanwhile."""
        values, seconds = self.new_post(), self.choice.uniform(*SLOW)

        def work() -> None:
            with transaction.atomic():
                Post.objects.create(**values)
                time.sleep(seconds)

        return self.write("slow transaction", [change("news.Post", None, values)], work)

    def never(self) -> None:
        """Rolled back: nobody may ever hear of it."""
        values = self.new_post()
        try:
            with transaction.atomic():
                Post.objects.create(**values)
                raise RollbackError
        except RollbackError:
            self.ledger.doors["rolled back"] += 1
        except ENDED:
            connection.close()


def save(label: str, pk: int, values: Values) -> None:
    """As a form does: the object is read, changed, and what was changed is saved.

    Raises:
        RefusedError: another editor deleted it between the two.
    """
    obj = model_of(label).objects.get(pk=pk)
    for name, value in values.items():
        setattr(obj, name, value)
    try:
        obj.save(update_fields=list(values))
    except DatabaseError as error:
        if "did not affect any rows" in str(error):
            raise RefusedError(str(error)) from error
        raise
