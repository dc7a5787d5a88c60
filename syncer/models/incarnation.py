from django.db import models


class Incarnation(models.Model):
    """The name under which this node signs its edits; the newest row counts. A restored database begins a new one."""

    number = models.PositiveIntegerField(unique=True, help_text="The number of incarnations up to this one.")
    writer = models.CharField(
        max_length=96, unique=True, help_text="The node's name, a colon, and a text that sorts by time."
    )
    why = models.CharField(max_length=256, help_text="Why this incarnation began.")
    at = models.DateTimeField(auto_now_add=True, help_text="When this incarnation began.")

    class Meta:
        ordering = ["-number"]

    def __str__(self) -> str:
        return self.writer
