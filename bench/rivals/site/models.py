from django.db import models
from simple_history.models import HistoricalRecords


class AbstractPost(models.Model):
    user_id = models.IntegerField(default=1, db_index=True)
    title = models.CharField(max_length=256)
    body = models.CharField(max_length=1024)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title


class Post(AbstractPost):
    """Without history."""


class RecordedPost(AbstractPost):
    history = HistoricalRecords()
