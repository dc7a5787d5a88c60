from django.db import models


class HistoryCheck(models.Model):
    """The last look for rows of one model that were changed without history; see `silent.py`."""

    model = models.CharField(max_length=64, unique=True, help_text="What was looked at, such as news.Post.")
    asked_at = models.DateTimeField(null=True, blank=True, help_text="When a look by itself was last asked for.")
    checked_at = models.DateTimeField(null=True, blank=True, help_text="When the look ended.")
    found = models.PositiveIntegerField(default=0, help_text="Rows that differed from their newest history row.")
    recorded = models.PositiveIntegerField(default=0, help_text="Of these, the ones whose history was written then.")
    sample = models.JSONField(
        default=list, help_text='Some of them, as the text of their keys and what was done: [["5", "changed"]].'
    )

    class Meta:
        ordering = ["model"]

    def __str__(self) -> str:
        return self.model
