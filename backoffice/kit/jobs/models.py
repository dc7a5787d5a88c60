from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language

from backoffice.kit import clock
from backoffice.kit.context import scope_of
from backoffice.kit.phrase_field import PhraseField

FIRST_WAKE_UP = timedelta(seconds=5)


def first_lease() -> datetime:
    """Return when the lease of a job that is queued now ends: soon, so that a lost wake-up costs seconds."""
    return clock.now() + FIRST_WAKE_UP


def language_now() -> str:
    """Return the language in which the program speaks now."""
    return get_language() or settings.LANGUAGE_CODE


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, user: Any) -> "JobQuerySet":
        """Return all jobs if `user` may view jobs, otherwise those that `user` started with the same key scope."""
        return self if user.has_perm("jobs.view_job") else self._own(user)

    def readable_by(self, user: Any) -> "JobQuerySet":
        """Return the jobs whose files `user` may download.

        A file holds what the user who started the job may see; a user who may view jobs may see less.
        """
        programs = self.filter(user=None) if user.has_perm("jobs.view_job") else self.none()
        return self._own(user) | programs

    def _own(self, user: Any) -> "JobQuerySet":
        scope = scope_of(user)
        return self.filter(user=user, **({} if scope is None else {"scope": scope}))


class Job(models.Model):
    """Work that takes longer than a request: who asked for it, its progress and its result.

    It runs once: queued, running, then done or failed for good. To repeat it, a new job is started. Work in slices goes
    on instead, where it was: it returns `AGAIN` after a while, and is queued again if its worker stopped.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting for a worker"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    title = models.CharField(max_length=256, help_text="What it does, in a few words.")
    work = models.CharField(max_length=256, help_text="The function that does it.")
    arguments = models.JSONField(default=dict, encoder=DjangoJSONEncoder, help_text="The arguments of the function.")
    # Deleted with the account: a job without a user counts as the program's, which may do everything.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="Who started it; it may do what they may. Empty: the program itself.",
    )
    scope = models.JSONField(
        null=True, blank=True, help_text="What the API key that started it may do. Null: all that the person may."
    )
    request_id = models.CharField(max_length=64, blank=True, help_text="The request that started it.")
    reason = models.CharField(max_length=256, blank=True, help_text="The reason of its changes, as the caller gave it.")
    language = models.CharField(
        max_length=16, default=language_now, help_text="The language of whoever started it: the job speaks it."
    )
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED, help_text="How far it is.")
    total = models.PositiveIntegerField(null=True, blank=True, help_text="Items to do. Empty: not known.")
    done = models.PositiveIntegerField(default=0, help_text="Items that were done.")
    failed = models.PositiveIntegerField(default=0, help_text="Items that failed; the others went on.")
    problems = models.JSONField(default=list, help_text='The first items that failed, [{"item": "…", "message": "…"}].')
    result = models.JSONField(null=True, blank=True, encoder=DjangoJSONEncoder, help_text="The result of the work.")
    error = PhraseField(blank=True, help_text="Why all of it failed. Empty: it did not.")
    file = models.CharField(max_length=32, blank=True, help_text="The name under which the file that it made waits.")
    file_name = models.CharField(max_length=256, blank=True, help_text="What the file is called when downloaded.")
    file_type = models.CharField(max_length=128, blank=True, help_text="The media type of the file.")
    created_at = models.DateTimeField(default=clock.now, help_text="When it was requested.")
    started_at = models.DateTimeField(null=True, blank=True, help_text="When a worker took it.")
    lease_until = models.DateTimeField(
        default=first_lease, help_text="Its worker, or the task that is queued for it, has it until then."
    )
    resumes = models.PositiveSmallIntegerField(
        default=0, help_text="How many more times it goes on after its worker stopped. 0: it fails then."
    )
    finished_at = models.DateTimeField(null=True, blank=True, help_text="When it ended.")

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running"], finished_at=None)
                | Q(state__in=["done", "failed"], finished_at__isnull=False),
                name="jobs_job_ended",
                violation_error_message="A job has a time of its end exactly when it ended.",
            ),
            models.CheckConstraint(
                condition=Q(state="failed") | Q(error=""),
                name="jobs_job_error",
                violation_error_message="Only a job that failed has an error.",
            ),
        ]
        indexes = [
            models.Index(
                fields=["state", "lease_until"], condition=Q(state__in=["queued", "running"]), name="jobs_job_open"
            ),
            models.Index(F("user"), F("created_at").desc(), F("id").desc(), name="jobs_job_own"),
            models.Index(F("created_at").desc(), F("id").desc(), name="jobs_job_newest"),
            models.Index(fields=["finished_at"], name="jobs_job_finished"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        """Whether the job is still queued or running."""
        return self.state in (self.State.QUEUED, self.State.RUNNING)

    @property
    def problems_left_out(self) -> int:
        """The number of failed items that `problems` does not list."""
        return max(0, self.failed - len(self.problems))
