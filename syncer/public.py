"""All that the rest of the house may ask of the engine."""

from django.db import models, transaction

from syncer.wake import wake_followers


def changed(model: type[models.Model]) -> None:
    """Say that objects of `model` were written in the current transaction; on commit, wakes the routes that follow.

    However many objects a transaction writes, one wake-up is registered. A save never fails because of it: should the
    wake-up fail, the worker's sweep finds the change.
    """
    label = model._meta.label
    connection = transaction.get_connection()
    if not any(isinstance(func, _Wake) and func.label == label for _, func, _ in connection.run_on_commit):
        transaction.on_commit(_Wake(label), robust=True)


class _Wake:
    """An on-commit callback that can be told from others."""

    def __init__(self, label: str) -> None:
        self.label = label

    def __call__(self) -> None:
        wake_followers(self.label)
