from django.db import models


class HistoryCheck(models.Model):
    """The last look for rows of one model that were changed without history; see `silent.py`."""

    model = models.CharField(max_length=64, unique=True, help_text="What was looked at, such as news.Post.")
    checked_at = models.DateTimeField(null=True, blank=True, help_text="When the look ended.")
    found = models.PositiveIntegerField(default=0, help_text="Rows that differ from their newest history row.")
    sample = models.JSONField(
        default=list, help_text='Some of them, as the text of their keys and what is wrong: [["5", "changed"]].'
    )

    class Meta:
        ordering = ["model"]

    def __str__(self) -> str:
        return self.model
