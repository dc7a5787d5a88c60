"""All that the rest of the house may ask of the engine."""

from django.db import models


def changed(model: type[models.Model]) -> None:
    """Say that objects of `model` were written in the current transaction; wakes the routes that follow changes."""
