from django.db import models


class Incarnation(models.Model):
    """What this node signs its edits with; the newest row counts. A database that was restored takes another one."""

    number = models.PositiveIntegerField(unique=True, help_text="How many there were, with this one.")
    writer = models.CharField(max_length=96, unique=True, help_text="The node's name, a colon, and what sorts by time.")
    why = models.CharField(max_length=256, help_text="Why it was taken.")
    at = models.DateTimeField(auto_now_add=True, help_text="When it was taken.")

    class Meta:
        ordering = ["-number"]

    def __str__(self) -> str:
        return self.writer
